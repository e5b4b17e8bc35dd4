import { z } from 'zod';
import type { PlanTarget } from './planned.ts';

const settings = z.record(z.string(), z.unknown());
const parse = (json: string) => settings.parse(JSON.parse(json || '{}'));

/** What the events of a request say of what is to be made. */
interface Told {
  connector: string;
  resourceId: string;
  resourceKey: string;
  role: string;
  duration: string;
  configJson: string;
  parametersJson: string;
}

/** What is to be made for a request. */
export const targetOf = ({ connector, resourceId, resourceKey, role, duration, configJson, parametersJson }: Told): PlanTarget => ({
  connector,
  resourceId,
  resourceKey,
  role,
  duration,
  config: parse(configJson),
  parameters: parse(parametersJson),
});
