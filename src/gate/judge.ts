import { type Decision, decide, offersPasses } from './decide.ts';
import { type Caller, type IdentityParts, identify } from './identify.ts';
import { mindSpace } from './mind-space.ts';
import { aboutMirror } from './mirror.ts';
import { asksForPass } from './passes.ts';
import type { Question } from './question.ts';
import type { Refusal } from './refusal.ts';
import { type Action, readRoute } from './route.ts';
import type { Rules } from './rulebook.ts';
import type { Space } from './space.ts';

/** What is decided, and on whom. `action`: what was wanted. */
export type Judgement =
  | {
      readonly kind: 'refused';
      readonly action: Action;
      readonly refusal: Refusal;
      readonly caller: Caller | undefined;
    }
  | (Allowed & {
      readonly kind: 'allowed';
      readonly action: Action;
      readonly decision: Exclude<Decision, { readonly kind: 'refuse' }>;
    });

/** Who may, and by what rules. */
export interface Allowed {
  readonly caller: Caller;
  readonly rules: Rules;
}

const NO_RULES: Refusal = {
  kind: 'unavailable',
  seconds: 10,
  because: 'the rules of access are broken; the operator has to fix them',
};

/** The one address that is the gate's and not distribution's. */
const PASS_BY_GET: Refusal = {
  kind: 'malformed',
  problem: { status: 405, code: 'UNSUPPORTED', message: 'A token is got by GET.', allow: ['GET'] },
};

export interface JudgeParts extends IdentityParts {
  readonly space: Space;
}

export async function judge(parts: JudgeParts, question: Question): Promise<Judgement> {
  const rules = parts.rules.current;
  if (rules !== undefined && offersPasses(rules.policy) && asksForPass(question.uri))
    return judgeForPass(parts, rules, question);
  const read = readRoute(question.method, question.uri);
  if (!read.ok) return refused('none', { kind: 'malformed', problem: read.problem });
  const { action } = read.route;
  if (rules === undefined) return refused(action, NO_RULES);
  const identity = await identify(parts, rules, question.authorization, question.address);
  if (identity.kind === 'refused') return refused(action, identity.refusal);
  const { caller } = identity;
  const may = decide(rules.policy, caller.who, read.route);
  const decision =
    question.part === 'mirror'
      ? aboutMirror(read.route, may)
      : mindSpace(parts.space, may, read.route, question);
  if (decision.kind === 'refuse') return refused(action, decision.refusal, caller);
  return { kind: 'allowed', action, decision, caller, rules };
}

async function judgeForPass(parts: IdentityParts, rules: Rules, question: Question): Promise<Judgement> {
  if (question.method !== 'GET') return refused('none', PASS_BY_GET);
  const identity = await identify(parts, rules, question.authorization, question.address);
  if (identity.kind === 'refused') return refused('none', identity.refusal);
  const decision = { kind: 'handle', task: { kind: 'give-pass' } } as const;
  return { kind: 'allowed', action: 'none', decision, caller: identity.caller, rules };
}

function refused(action: Action, refusal: Refusal, caller?: Caller): Judgement {
  return { kind: 'refused', action, refusal, caller };
}
