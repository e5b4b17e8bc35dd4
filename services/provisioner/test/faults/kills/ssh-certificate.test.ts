import { startSsh } from '../../targets/ssh.ts';
import { describeKills } from './describe-kills.ts';

describeKills(await startSsh());
