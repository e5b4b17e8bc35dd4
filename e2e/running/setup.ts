import { mkdirSync, writeFileSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { platformDir, secretsFile } from '../places.ts';
import type {} from '../setup.ts';

/** A platform on Keycloak that somebody else has started, at ACCESSOPS_URL. */
export default function setup(project: TestProject): void {
  const url = process.env.ACCESSOPS_URL;
  if (!url) throw new Error('please say in ACCESSOPS_URL where the platform answers');
  mkdirSync(platformDir, { recursive: true });
  writeFileSync(secretsFile, '');
  project.provide('url', url);
  project.provide('provider', 'keycloak');
}
