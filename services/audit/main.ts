import { runProcess } from '@accessops/telemetry';
import { startAudit } from './src/app.ts';
import { configFrom } from './src/config.ts';

runProcess(async () => startAudit(configFrom(process.env)));
