import { startPostgres } from '../../targets/postgres.ts';
import { describeKills } from './describe-kills.ts';

describeKills(await startPostgres());
