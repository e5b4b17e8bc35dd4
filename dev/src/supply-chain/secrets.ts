import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';
import { root } from '../paths.ts';
import { type Accepted, acceptedFile, readAccepted } from './accepted.ts';

const rules = [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: creator, options: {} }];

/** What looks like a secret in a text, with the kind of secret and its line; never the secret. */
export const secretsIn = async (filePath: string, content: string): Promise<{ finding: string; line: number }[]> => {
  const source = { filePath, content, ext: '', contentType: 'text' as const };
  const { messages } = await lintSource({ source, options: { config: { rules } } });
  return messages.map(({ messageId, loc }) => ({ finding: messageId, line: loc.start.line }));
};

/** Looks for secrets in files; what is accepted and not found is told, too. */
export const findSecrets = async (
  files: readonly string[],
  read: (file: string) => string,
  accepted: Accepted['secrets'],
): Promise<string[]> => {
  const problems: string[] = [];
  const used = new Set<Accepted['secrets'][number]>();
  for (const file of files) {
    for (const { finding, line } of await secretsIn(file, read(file))) {
      const entry = accepted.find((one) => one.file === file && one.finding === finding);
      if (entry) used.add(entry);
      else problems.push(`${file}:${line}: looks like a secret (${finding})`);
    }
  }
  const unused = accepted.filter((entry) => !used.has(entry));
  return [...problems, ...unused.map(({ file, finding }) => `${acceptedFile}: nothing in ${file} looks like ${finding} any more`)];
};

/** Looks for secrets in all files that are kept in the repository, or would be. */
export const findSecretsInRepository = (): Promise<string[]> => {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' });
  const files = listed.split('\0').filter((file) => file !== '' && existsSync(join(root, file)) && statSync(join(root, file)).isFile());
  return findSecrets(files, (file) => readFileSync(join(root, file), 'utf8'), readAccepted().secrets);
};
