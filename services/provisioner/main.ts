import { runProcess } from '@accessops/telemetry';
import { startProvisioner } from './src/app.ts';
import { configFrom } from './src/config.ts';

runProcess(async () => startProvisioner(configFrom(process.env)));
