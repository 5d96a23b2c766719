import { WrongInput } from '../../errors.ts';
import { type Asked, type Begun, begunMove, type Goal, goalOf } from '../../move/course.ts';
import { readTakenBack, type TakenBack } from '../../move/taken-back.ts';
import { destinationInWords, parseDestination } from '../../remote/destination.ts';
import { expectNotMoved, readMove } from '../../stack/moved.ts';
import { type App, openJournal } from '../app.ts';
import { expectGone } from './end.ts';

export interface Destined {
  readonly goal: Goal;
  /** When it began, if a run was cut off. */
  readonly since: Date | undefined;
  /** Whether a step is still to do. */
  readonly isAhead: Begun['isAhead'];
}

/**
 * Where the registry is to go: what is asked for now, or was before a run was cut off.
 * @throws WrongInput; Failure `moved`, `moving-here`
 */
export async function whereTo(app: App, asked: Asked): Promise<Destined> {
  const entry = await openJournal(app, 'move-to').interrupted();
  if (entry === undefined || (await readMove(app.paths))?.kind === 'coming') await expectNotMoved(app.paths);
  return begunMove(entry, asked) ?? { goal: goalOf(asked), since: undefined, isAhead: () => true };
}

/**
 * Whoever names a machine with `--finish` or `--cancel` means that one.
 * @throws WrongInput
 */
export function expectMeant(asked: string | undefined, other: string): void {
  if (asked === undefined || inWords(asked) === inWords(other)) return;
  throw new WrongInput([{ input: asked, message: `is not where this registry went, which is ${other}` }]);
}

/** However it is spelled: ssh://user@host is user@host. */
function inWords(text: string): string {
  const destination = parseDestination(text);
  return typeof destination === 'string' ? text : destinationInWords(destination);
}

/** A move that can be taken back, or was. */
export type ToTakeBack =
  | {
      readonly kind: 'move';
      readonly goal: Goal;
      /** Whether the other one may run. */
      readonly started: boolean;
    }
  | { readonly kind: 'taken back'; readonly taken: TakenBack };

/** @throws Failure `not-moved`, `moving-here` */
export async function whatToTakeBack(app: App): Promise<ToTakeBack> {
  const entry = await openJournal(app, 'move-to').interrupted();
  const begun = begunMove(entry, { to: undefined, folder: undefined, set: {} });
  if (begun !== undefined) return { kind: 'move', goal: begun.goal, started: !begun.isAhead('verify') };
  const taken = await readTakenBack(app.paths);
  if (taken !== undefined) return { kind: 'taken back', taken };
  const { other, folder } = await expectGone(app);
  return { kind: 'move', goal: { to: other, folder, set: {} }, started: true };
}
