import { runProcess } from '@accessops/telemetry';
import { configFrom, startGateway } from './src/app.ts';

runProcess(async () => startGateway(configFrom(process.env)));
