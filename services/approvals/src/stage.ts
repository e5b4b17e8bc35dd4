/** A step of an approval plan: `required` different people who hold one of `roles` or belong to the team. */
export interface Stage {
  name: string;
  required: number;
  roles: string[];
  /** Empty: no team. */
  teamId: string;
  /** `aal2`: decided on with a second factor, by whoever has one. */
  acr?: string;
}

/** A person as far as stages ask. */
export interface Approver {
  id: string;
  orgRoles: readonly string[];
  teamIds: readonly string[];
}

/** Whether a person is one of those a stage asks for. */
export const fits = ({ roles, teamId }: Stage, { orgRoles, teamIds }: Approver): boolean =>
  roles.some((role) => orgRoles.includes(role)) || (teamId !== '' && teamIds.includes(teamId));

/** Names whom a stage is open to, so that a person's own keys can be compared with it in SQL. */
export const keysOfStage = ({ roles, teamId }: Stage): string[] => [
  ...roles.map((role) => `role:${role}`),
  ...(teamId ? [`team:${teamId}`] : []),
];

/** The keys of a person; one of them among a stage's keys means that the person fits. */
export const keysOfApprover = ({ orgRoles, teamIds }: Approver): string[] => [
  ...orgRoles.map((role) => `role:${role}`),
  ...teamIds.map((team) => `team:${team}`),
];
