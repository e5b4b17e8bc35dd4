import { createHash, randomUUID } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { AppError, enrolmentRequired, insufficientAuthentication } from '@accessops/errors';
import { during, type Tracer } from '@accessops/telemetry';
import { type TlsIdentity, wantsTls } from '@accessops/tls';
import { GRPC } from '@cerbos/grpc';
import { LRUCache } from 'lru-cache';
import type { Attribute, Decision, Question } from './decision.ts';
import type { WatchDecisions } from './decision-metrics.ts';

/** The principal as far as policies look at it. */
export interface Subject {
  type: string;
  id: string;
  tenantId: string | null;
  audience: string;
  orgRoles: string[];
  realmRoles: string[];
  teams: { id: string; role: string }[];
  licenseTier: string;
  flags: string[];
  permissions: string[];
  mfaLevel: number;
  mfaEnrolled: boolean;
  mfaRequired: boolean;
  riskFlags: string[];
}

export interface Authorizer {
  /**
   * Asks Cerbos, or remembers; `traceparent` names the trace that a question is part of. Throws DEPENDENCY_UNAVAILABLE when it does not answer;
   * never allows by itself.
   */
  decide(subject: Subject, question: Question, traceparent?: string): Promise<Decision>;
  /** The same, but throws instead of answering no: those of `assertAllowed`. */
  authorize(subject: Subject, question: Question, traceparent?: string): Promise<Decision>;
  /** Which of many questions are answered yes, in as few calls as Cerbos takes; not remembered. */
  allowed(subject: Subject, questions: Question[]): Promise<boolean[]>;
  /** Forgets everything: policies or people have changed. */
  forget(): void;
  /** Waits longer than usual for answers, for `patienceMs`: Cerbos is about to load other policies, and stands still meanwhile. */
  bePatient(): void;
  isPatient(): boolean;
  /** Whether the policies that Cerbos has are ours; throws when it does not answer. */
  hasPolicies(): Promise<boolean>;
  /** Whether Cerbos answers. */
  isUp(): Promise<boolean>;
  close(): void;
}

export interface AuthorizerOptions {
  /** host:port, or tls://host:port. */
  address: string;
  /** Whom to connect as by TLS. */
  tls?: TlsIdentity;
  /** How long a decision is remembered. */
  ttlMs?: number;
  /** A Cerbos that does not answer in this time is down. */
  timeoutMs?: number;
  /** Without it nothing is measured. */
  watch?: WatchDecisions;
  /** Records questions that are part of a trace. */
  tracer?: Tracer;
}

const principalOf = (subject: Subject) => ({
  id: subject.id,
  roles: [...new Set([subject.type, ...subject.orgRoles, ...subject.realmRoles])],
  attr: {
    type: subject.type,
    tenantId: subject.tenantId ?? '',
    audience: subject.audience,
    teams: subject.teams.map((team) => team.id),
    leadTeams: subject.teams.filter((team) => team.role === 'lead').map((team) => team.id),
    orgRoles: subject.orgRoles,
    realmRoles: subject.realmRoles,
    licenseTier: subject.licenseTier,
    flags: subject.flags,
    permissions: subject.permissions,
    mfaLevel: subject.mfaLevel,
    mfaEnrolled: subject.mfaEnrolled,
    mfaRequired: subject.mfaRequired,
    riskFlags: subject.riskFlags,
  },
});

const resourceOf = ({ kind, version, attributes = {} }: Question) => ({ kind, id: version, policyVersion: version, attr: attributes });

const keyOf = (principalKey: string, question: Question): string =>
  `${principalKey} ${question.version} ${question.kind} ${question.action} ${question.attributes ? JSON.stringify(question.attributes) : ''}`;

/** Put to Cerbos together with a question, by anybody: which policies it decides by. */
const versionQuestion = {
  resource: resourceOf({ kind: 'policy', action: 'tell_version', version: 'route' }),
  actions: ['tell_version'],
};
const versionMs = 5000;

/**
 * How long an answer of Cerbos may take while it loads other policies: it stands still meanwhile, for a second on two idle processors,
 * and for several on busy ones.
 */
export const patienceMs = 15_000;

// Few enough to be answered in time by a busy Cerbos; it would take 50 in one call.
const batchSize = 20;

/**
 * Throws unless it is allowed. Errors: PERMISSION_DENIED; when a second factor is all that is missing INSUFFICIENT_AUTHENTICATION, or
 * MFA_ENROLMENT_REQUIRED for who has none.
 */
export const assertAllowed = ({ mfaEnrolled }: Pick<Subject, 'mfaEnrolled'>, { allowed, demand }: Decision): void => {
  if (allowed) return;
  if (!demand) throw new AppError('PERMISSION_DENIED');
  throw mfaEnrolled ? insufficientAuthentication(demand) : enrolmentRequired(demand);
};

const secondFactor = 'aal2';

const demandsSecondFactor = (output: Attribute): boolean => (output as { demand?: { acr?: unknown } } | null)?.demand?.acr === secondFactor;

/** A Cerbos client that remembers decisions for a short time, by principal, action and attributes. */
export const createAuthorizer = ({ address, tls, ttlMs = 5000, timeoutMs = 800, watch, tracer }: AuthorizerOptions): Authorizer => {
  const identity = wantsTls(address) ? tls : undefined;
  const connectFor = (waitMs: number) =>
    new GRPC(address.replace('tls://', ''), {
      tls: identity ? createSecureContext(identity.material) : false,
      channelOptions: {
        // grpc-js takes deadlines from the service config and reads the digits behind the point as nanoseconds: all nine must
        // stand there. A PDP that comes back is tried again at once.
        'grpc.service_config': JSON.stringify({ methodConfig: [{ name: [{}], timeout: `${(waitMs / 1000).toFixed(9)}s` }] }),
        'grpc.initial_reconnect_backoff_ms': 50,
        'grpc.max_reconnect_backoff_ms': 500,
      },
    });
  // Both connect when they are used first.
  const connectBoth = () => ({ cerbos: connectFor(timeoutMs), patient: connectFor(Math.max(timeoutMs, patienceMs)) });
  let connected = connectBoth();
  const close = ({ cerbos, patient }: typeof connected) => {
    cerbos.close();
    patient.close();
  };
  const stopHearing = identity?.onChange(() => {
    const former = connected;
    connected = connectBoth();
    // What was asked there is still answered.
    setTimeout(close, 2 * patienceMs, former).unref();
  });
  let patientUntil = Number.NEGATIVE_INFINITY;
  const isPatient = () => performance.now() < patientUntil;
  const client = () => (isPatient() ? connected.patient : connected.cerbos);
  const decisions = new LRUCache<string, Decision>({ max: 50_000, ttl: ttlMs });
  // A crowd that asks the same at once is one question.
  const asking = new Map<string, Promise<Decision>>();
  const principalKeys = new WeakMap<Subject, string>();

  // The same principal object comes again and again out of the caches in front: hash it once.
  const principalKey = (subject: Subject) => {
    let key = principalKeys.get(subject);
    if (!key) {
      key = createHash('sha256')
        .update(JSON.stringify(principalOf(subject)))
        .digest('base64url');
      principalKeys.set(subject, key);
    }
    return key;
  };

  // Told within an answer, so that it is the version that has decided; for some seconds it is taken to be that of other answers as well.
  let policyVersion = '';
  let versionGoodUntil = Number.NEGATIVE_INFINITY;
  const learnVersion = (told: unknown) => {
    policyVersion = typeof told === 'string' ? told : '';
    versionGoodUntil = performance.now() + versionMs;
  };

  const check = async (request: Parameters<GRPC['checkResources']>[0]) => {
    const answered = watch?.asking();
    try {
      const { results } = await client().checkResources(request);
      answered?.(true);
      return results;
    } catch (error) {
      answered?.(false);
      throw error;
    }
  };

  const ask = async (subject: Subject, question: Question): Promise<Decision> => {
    const decisionId = randomUUID();
    const asksVersion = performance.now() > versionGoodUntil;
    try {
      const [result, version] = await check({
        requestId: decisionId,
        principal: principalOf(subject),
        resources: [{ resource: resourceOf(question), actions: [question.action] }, ...(asksVersion ? [versionQuestion] : [])],
      });
      const outputs = (result?.outputs ?? []).map(({ value, source }) => {
        if (value === undefined) throw new Error(`The output of ${source} could not be computed`);
        return value;
      });
      if (asksVersion) learnVersion(version?.outputs[0]?.value);
      return { allowed: result?.isAllowed(question.action) === true, decisionId, policyVersion, outputs };
    } catch (cause) {
      throw new AppError('DEPENDENCY_UNAVAILABLE', 'The policy decision point does not answer', { cause });
    }
  };

  // A policy cannot tell whether it would deny all the same. So it is asked again as if the second factor had been proved: nobody is
  // sent to fetch one in vain, or told that there is something to be had with it.
  const askWithDemand = async (subject: Subject, question: Question): Promise<Decision> => {
    const decision = await ask(subject, question);
    if (decision.allowed || subject.mfaLevel >= 2 || !decision.outputs.some(demandsSecondFactor)) return decision;
    const lifted = await ask({ ...subject, mfaLevel: 2 }, question);
    return lifted.allowed ? { ...decision, demand: secondFactor } : decision;
  };

  const askTraced = (subject: Subject, question: Question, traceparent: string): Promise<Decision> => {
    const { kind, action } = question;
    const span = tracer?.follow(traceparent, `check ${kind} ${action}`, {
      kind: 'client',
      attributes: { 'rpc.system': 'grpc', 'rpc.service': 'cerbos.svc.v1.CerbosService' },
    });
    return during(span, () => askWithDemand(subject, question));
  };

  const askMany = async (subject: Subject, questions: Question[]): Promise<boolean[]> => {
    try {
      const results = await check({
        principal: principalOf(subject),
        resources: questions.map((question, index) => ({
          resource: { ...resourceOf(question), id: String(index) },
          actions: [question.action],
        })),
      });
      return questions.map((question, index) => results[index]?.isAllowed(question.action) === true);
    } catch (cause) {
      throw new AppError('DEPENDENCY_UNAVAILABLE', 'The policy decision point does not answer', { cause });
    }
  };

  const decide = async (subject: Subject, question: Question, traceparent = ''): Promise<Decision> => {
    const key = keyOf(principalKey(subject), question);
    const hit = decisions.get(key);
    if (hit) {
      watch?.remembered();
      return hit;
    }
    const joined = asking.get(key);
    if (joined) watch?.remembered();
    const asked = joined ?? askTraced(subject, question, traceparent);
    asking.set(key, asked);
    try {
      const decision = await asked;
      // Not what was asked before everything was forgotten.
      if (asking.get(key) === asked) decisions.set(key, decision);
      return decision;
    } finally {
      if (asking.get(key) === asked) asking.delete(key);
    }
  };

  return {
    decide,
    authorize: async (subject, question, traceparent) => {
      const decision = await decide(subject, question, traceparent);
      assertAllowed(subject, decision);
      return decision;
    },
    allowed: async (subject, questions) => {
      const answers: boolean[] = [];
      // One batch after the other: the last of many at once would wait for all the others, longer than an answer may take.
      for (let asked = 0; asked < questions.length; asked += batchSize)
        answers.push(...(await askMany(subject, questions.slice(asked, asked + batchSize))));
      return answers;
    },
    forget: () => {
      decisions.clear();
      asking.clear();
      versionGoodUntil = Number.NEGATIVE_INFINITY;
    },
    bePatient: () => {
      patientUntil = performance.now() + patienceMs;
    },
    isPatient,
    hasPolicies: async () => {
      const { results } = await connected.cerbos.checkResources({
        principal: { id: 'accessops', roles: ['process'], attr: {} },
        resources: [versionQuestion],
      });
      return results[0]?.isAllowed('tell_version') === true;
    },
    isUp: async () => {
      try {
        return (await connected.cerbos.checkHealth()).status === 'SERVING';
      } catch {
        return false;
      }
    },
    close: () => {
      stopHearing?.();
      close(connected);
    },
  };
};
