import { describeBroken } from '../../targets/describe-broken.ts';
import { startPostgres } from '../../targets/postgres.ts';

describeBroken(await startPostgres());
