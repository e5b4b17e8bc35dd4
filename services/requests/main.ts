import { runProcess } from '@accessops/telemetry';
import { startRequests } from './src/app.ts';
import { configFrom } from './src/config.ts';

runProcess(async () => startRequests(configFrom(process.env)));
