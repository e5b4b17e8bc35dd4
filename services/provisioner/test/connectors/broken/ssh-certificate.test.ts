import { describeBroken } from '../../targets/describe-broken.ts';
import { startSsh } from '../../targets/ssh.ts';

describeBroken(await startSsh());
