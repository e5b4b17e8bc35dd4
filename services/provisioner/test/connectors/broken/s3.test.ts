import { describeBroken } from '../../targets/describe-broken.ts';
import { startS3 } from '../../targets/s3.ts';

describeBroken(await startS3());
