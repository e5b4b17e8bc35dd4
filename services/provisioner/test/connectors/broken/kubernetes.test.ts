import { describeBroken } from '../../targets/describe-broken.ts';
import { startKubernetes } from '../../targets/kubernetes.ts';

describeBroken(await startKubernetes());
