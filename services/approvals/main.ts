import { runProcess } from '@accessops/telemetry';
import { startApprovals } from './src/app.ts';
import { configFrom } from './src/config.ts';

runProcess(async () => startApprovals(configFrom(process.env)));
