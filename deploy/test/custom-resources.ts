import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where operators define the kinds of their resources, in the very modules that they are built from. */
const definitions = [
  {
    module: 'github.com/prometheus-operator/prometheus-operator@v0.86.1',
    sum: 'h1:pHUuiRErcFb3nFDox7RxoxpEN0FyT24GtYOkr2GBu04=',
    files: ['servicemonitors', 'podmonitors', 'prometheusrules'].map(
      (kind) => `example/prometheus-operator-crd/monitoring.coreos.com_${kind}.yaml`,
    ),
  },
  {
    module: 'github.com/external-secrets/external-secrets@v0.20.4',
    sum: 'h1:HhNAjWfFEshhItphr28SGsHzf2bUP7uDAOVLg76uNAg=',
    files: ['config/crds/bases/external-secrets.io_externalsecrets.yaml'],
  },
  {
    module: 'github.com/cert-manager/cert-manager@v1.19.1',
    sum: 'h1:Txh8L/nLWTDcb7ZnXuXbTe15BxQnLbLirXmbNk0fGgY=',
    files: ['certificates', 'issuers'].map((kind) => `deploy/crds/cert-manager.io_${kind}.yaml`),
  },
];

/** The manifests of the definitions, fetched with Go and kept where it keeps modules. */
export const customResourceDefinitions = (): string[] =>
  definitions.flatMap(({ module, sum, files }) => {
    // The sum is known here: no need to reach the database of sums.
    const env = { ...process.env, GONOSUMDB: '*', GOFLAGS: '' };
    const fetched = execFileSync('go', ['mod', 'download', '-json', module], { env, encoding: 'utf8' });
    const { Dir, Sum } = JSON.parse(fetched) as { Dir: string; Sum: string };
    if (Sum !== sum) throw new Error(`${module} is not what it was: its sum is ${Sum}`);
    return files.map((file) => readFileSync(join(Dir, file), 'utf8'));
  });
