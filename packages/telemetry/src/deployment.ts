/** A variable that is not set though a process runs better with it. */
export interface MissingVariable {
  variable: string;
  /** For operators. */
  consequence: string;
}

/** What runs here; never holds a value of the configuration. */
export interface Deployment {
  /** The commit it was built from; `unknown` when nobody has told. */
  commitSha: string;
  startedAt: Date;
  missing: MissingVariable[];
}

/** Field of a schema of environment variables; `.meta({ without })` says what does not work while it is not set. */
export interface EnvironmentField {
  meta(): Record<string, unknown> | undefined;
}

/** This process, whose configuration was read by a schema with these fields. */
export const deploymentOf = (
  fields: Record<string, EnvironmentField>,
  read: Record<string, unknown> & { ACCESSOPS_COMMIT?: string },
): Deployment => ({
  commitSha: read.ACCESSOPS_COMMIT ?? 'unknown',
  startedAt: new Date(performance.timeOrigin),
  missing: Object.entries(fields).flatMap(([variable, field]) => {
    const consequence = field.meta()?.without;
    return typeof consequence === 'string' && read[variable] === undefined ? [{ variable, consequence }] : [];
  }),
});
