// A relay that is killed right after the stream has taken its first message and before it can say so: run as a process of its own.
import { createLogger } from '@accessops/telemetry';
import { type BrokerOptions, connectBroker, startRelay } from '../src/index.ts';

interface Environment {
  broker: BrokerOptions;
  databaseUrl: string;
  namespace: string;
  service: string;
}

const { broker: address, ...where } = JSON.parse(process.argv[2] ?? '') as Environment;
const broker = await connectBroker(address);
const { publish } = broker.js;
broker.js.publish = async (...args) => {
  await Reflect.apply(publish, broker.js, args);
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
};
startRelay({ ...where, broker, log: createLogger('dying', 'silent') });
