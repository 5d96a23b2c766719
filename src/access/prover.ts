/** The user that init-tls makes for a moment to prove the registry with a push and a pull, and the one place it may use. */
export const PROVER = 'moorage-proof';
export const PROOF_REPOSITORY = 'moorage/proof';

/** The same for `npm run doctor`, which is not to meet a proof. */
export const DOCTOR = 'moorage-doctor';
export const DOCTOR_REPOSITORY = 'moorage/doctor';

const PLACES: ReadonlyMap<string, string> = new Map([
  [PROVER, PROOF_REPOSITORY],
  [DOCTOR, DOCTOR_REPOSITORY],
]);

/** The one repository of a user that is there for a moment; `undefined` for everybody else. */
export function placeOf(user: string): string | undefined {
  return PLACES.get(user);
}

/** Whether only such a user pushes there. */
export function isPlace(repository: string): boolean {
  return [...PLACES.values()].includes(repository);
}

/** The user that `npm run gc` makes for a moment to see whether every image is whole: it may pull, everywhere. */
export const CHECKER = 'moorage-check';

/** Users that come and go with a command of ours: nobody's. */
export function isTemporary(name: string): boolean {
  return name === CHECKER || placeOf(name) !== undefined;
}
