import { z } from 'zod';
import { root } from '../paths.ts';
import { runProgram } from '../run-program.ts';
import { type Accepted, acceptedFile, readAccepted } from './accepted.ts';

const report = z.object({
  advisories: z.record(
    z.string(),
    z.object({
      module_name: z.string(),
      severity: z.string(),
      title: z.string(),
      github_advisory_id: z.string(),
      url: z.string(),
      patched_versions: z.string().nullable(),
      findings: z.array(z.object({ version: z.string() })),
    }),
  ),
});

/** What pnpm reports of the packages in the lockfile; the reason, when the registry cannot be asked. */
const askRegistry = async (): Promise<z.infer<typeof report> | string> => {
  const args = ['-y', 'pnpm@12.21.0', '--config.pm-on-fail=ignore', '--config.fetch-retries=1', 'audit', '--json'];
  const { code, output } = await runProgram('npx', args, { cwd: root, timeoutMs: 120_000 });
  const [json] = /^\{$[\s\S]*^\}$/m.exec(output) ?? [];
  return json ? report.parse(JSON.parse(json)) : (/\bERR_\w+/.exec(output)?.[0] ?? `exit code ${code}`);
};

/** What a report holds that is not accepted, a line each; and entries that are out of date. */
export const judge = ({ advisories }: z.infer<typeof report>, accepted: Accepted['advisories'], today: string): string[] => {
  const found = Object.values(advisories);
  const isOf = (entry: Accepted['advisories'][number]) => (advisory: (typeof found)[number]) =>
    advisory.github_advisory_id === entry.advisory && advisory.module_name === entry.package;
  const open = found.filter((advisory) => !accepted.some((entry) => isOf(entry)(advisory)));
  return [
    ...open.map(
      ({ module_name: name, findings, severity, title, url, patched_versions: patched }) =>
        `${name} ${findings.map(({ version }) => version).join(', ')}: ${severity}: ${title} (${url}), ${patched ? `mended in ${patched}` : 'not mended yet'}`,
    ),
    ...accepted
      .filter((entry) => !found.some(isOf(entry)))
      .map(({ advisory, package: name }) => `${acceptedFile}: ${advisory} of ${name} is not found any more`),
    ...accepted
      .filter(({ until }) => until < today)
      .map(({ advisory, until }) => `${acceptedFile}: ${advisory} was accepted until ${until}`),
  ];
};

/** `npm run audit`: known weaknesses of the packages in the lockfile. */
export const audit = async (): Promise<number> => {
  const answer = await askRegistry();
  if (typeof answer === 'string') {
    const required = process.env.AUDIT_REQUIRED === 'true';
    process.stdout.write(
      `${required ? 'FAIL' : 'left out'}: the registry tells of no advisories (${answer}): no network, or a mirror without them\n`,
    );
    return required ? 1 : 0;
  }
  const problems = judge(answer, readAccepted().advisories, new Date().toISOString().slice(0, 10));
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  if (problems.length === 0) process.stdout.write('ok: no advisory that is not accepted\n');
  return problems.length === 0 ? 0 : 1;
};
