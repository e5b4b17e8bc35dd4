import { startS3 } from '../../targets/s3.ts';
import { describeKills } from './describe-kills.ts';

describeKills(await startS3());
