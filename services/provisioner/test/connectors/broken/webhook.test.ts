import { describeBroken } from '../../targets/describe-broken.ts';
import { startWebhook } from '../../targets/webhook.ts';

describeBroken(await startWebhook());
