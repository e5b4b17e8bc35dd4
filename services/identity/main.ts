import { runProcess } from '@accessops/telemetry';
import { startIdentity } from './src/app.ts';
import { configFrom } from './src/config.ts';

runProcess(async () => startIdentity(configFrom(process.env)));
