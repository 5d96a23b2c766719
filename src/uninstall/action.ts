/** One thing that goes. Of a `data` it is what distribution wrote in `root`. */
export type Action =
  | { readonly kind: 'unit'; readonly name: string }
  | { readonly kind: 'container'; readonly name: string; readonly id: string }
  | { readonly kind: 'network'; readonly name: string; readonly id: string }
  | { readonly kind: 'volume'; readonly name: string }
  | { readonly kind: 'data'; readonly name: string; readonly bytes: number; readonly root: string }
  | { readonly kind: 'image'; readonly name: string; readonly bytes: number }
  /** `line`: not the file goes, but what was put into it. */
  | { readonly kind: 'made'; readonly name: string; readonly purpose: string; readonly line?: true }
  | { readonly kind: FileKind; readonly name: string; readonly bytes: number };

export type FileKind = 'users' | 'state' | 'settings';

/** What stays: because it is wanted, or because it can't be taken away now. */
export interface Staying {
  readonly what: string;
  readonly why: string;
  /** Takes it away, where a person wants that. */
  readonly command?: string;
}
