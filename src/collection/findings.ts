/** What a collector says it takes away (distribution's registry/storage/garbagecollect.go, 2.8 and 3.0 alike). */
export interface Findings {
  readonly blobs: readonly string[];
  /** With --delete-untagged. */
  readonly manifests: readonly string[];
}

const LINE = /^(blob|manifest) eligible for deletion: (\S+)/gm;

export function readFindings(output: string): Findings {
  const found = [...output.matchAll(LINE)];
  const of = (kind: string) => [
    ...new Set(found.filter(([, each]) => each === kind).map(([, , what = '']) => what)),
  ];
  return { blobs: of('blob'), manifests: of('manifest') };
}
