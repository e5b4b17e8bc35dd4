import { startWebhook } from '../../targets/webhook.ts';
import { describeKills } from './describe-kills.ts';

describeKills(await startWebhook());
