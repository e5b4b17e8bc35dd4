import { expect, test } from 'vitest';
import { mergeStanding } from './merge-standing.ts';

const settled = { enabled: 'true', realmRoles: '', 'organization:acme': 'requester' };

test('when nothing changed anywhere, then nothing is to be done', () => {
  expect(mergeStanding(settled, { ...settled }, { ...settled })).toEqual({ push: {}, pull: {} });
});

test('when roles were changed here, then Keycloak is told', () => {
  const ours = { ...settled, 'organization:acme': 'admin,requester' };
  expect(mergeStanding(settled, ours, settled)).toEqual({ push: { 'organization:acme': 'admin,requester' }, pull: {} });
});

test('when somebody was disabled in Keycloak, then that is taken over', () => {
  expect(mergeStanding(settled, settled, { ...settled, enabled: 'false' })).toEqual({ push: {}, pull: { enabled: 'false' } });
});

test('when a membership ended on one side, then it ends on the other', () => {
  const { 'organization:acme': _, ...without } = settled;
  expect(mergeStanding(settled, without, settled)).toEqual({ push: { 'organization:acme': undefined }, pull: {} });
  expect(mergeStanding(settled, settled, without)).toEqual({ push: {}, pull: { 'organization:acme': undefined } });
});

test('when both sides changed different pieces, then each takes over the other', () => {
  const ours = { ...settled, 'organization:globex': 'auditor' };
  const theirs = { ...settled, enabled: 'false' };
  expect(mergeStanding(settled, ours, theirs)).toEqual({ push: { 'organization:globex': 'auditor' }, pull: { enabled: 'false' } });
});

test('when both sides changed the same piece, then what was done here counts', () => {
  const ours = { ...settled, 'organization:acme': 'admin' };
  const theirs = { ...settled, 'organization:acme': 'auditor' };
  expect(mergeStanding(settled, ours, theirs)).toEqual({ push: { 'organization:acme': 'admin' }, pull: {} });
});

test('when both sides made the same change, then nothing is to be done', () => {
  const changed = { ...settled, 'organization:acme': 'admin' };
  expect(mergeStanding(settled, changed, { ...changed })).toEqual({ push: {}, pull: {} });
});
