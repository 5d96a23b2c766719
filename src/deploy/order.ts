import { WrongInput } from '../errors.ts';
import type { Given } from './settings.ts';
import { DEFAULT_FOLDER, type Extra, type Target } from './target.ts';

/** Beyond the clients' own folders, with the extra `cacerts`. */
export interface TrustWanted {
  /** By the system's own store. */
  readonly system: boolean;
  /** Address that its names are to lead to there, by /etc/hosts. */
  readonly hosts: string | undefined;
}

/** What is to become of one machine. */
export interface Order {
  readonly target: Target;
  /** Absolute path of the far checkout. */
  readonly folder: string;
  readonly given: Given;
  readonly extras: ReadonlySet<Extra>;
  /** Archive here, of the images it is to run on. */
  readonly images: string | undefined;
  /** Nobody is to be asked: it was agreed to all of it. */
  readonly yes: boolean;
  readonly trust: TrustWanted;
}

/** What the command line says of all machines. */
export interface Common {
  readonly folder: string | undefined;
  /** Of this checkout, or of the file that was named instead. */
  readonly own: Given;
  readonly set: Given;
  readonly extras: readonly Extra[];
  readonly skipped: readonly Extra[];
  readonly images: string | undefined;
  readonly yes: boolean;
  readonly trust: TrustWanted;
}

/** Settings of this checkout, then what the inventory says, then the command line: the later wins. */
export function orderFor(target: Target, common: Common): Order {
  const { variables } = target;
  const extras = [...variables.extras, ...common.extras].filter((each) => !common.skipped.includes(each));
  // The archive is put where init-tls looks by itself.
  const loads = common.images === undefined ? {} : { IMAGES: 'load', IMAGES_FILE: '' };
  return {
    target,
    folder: (common.folder ?? variables.folder ?? DEFAULT_FOLDER).replace(/\/+$/, ''),
    given: { ...common.own, ...variables.settings, ...common.set, ...loads },
    extras: new Set(extras),
    images: common.images,
    yes: common.yes,
    trust: common.trust,
  };
}

/**
 * Two that go to one folder would be in each other's way: all are done at once.
 * @throws WrongInput
 */
export function expectApart(orders: readonly Order[]): void {
  const problems = orders.flatMap((order, index) => {
    const other = orders.slice(0, index).find((each) => placeOf(each) === placeOf(order));
    const message = `is the same machine and folder as ${other?.target.name}; choose one by --limit, or give one another dir`;
    return other === undefined ? [] : [{ input: order.target.name, message }];
  });
  if (problems.length > 0) throw new WrongInput(problems);
}

function placeOf({ target, folder }: Order): string {
  const { host, port } = target.destination;
  return `${host} ${port ?? 22} ${folder}`;
}
