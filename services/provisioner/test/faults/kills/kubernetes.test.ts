import { startKubernetes } from '../../targets/kubernetes.ts';
import { describeKills } from './describe-kills.ts';

describeKills(await startKubernetes());
