/** What is known of a file without reading it. */
export interface FileFacts {
  readonly bytes: number;
  readonly written: Date;
}

/** distribution's files, wherever they are. Paths are those of `layout.ts`: below `docker/registry/v2`. */
export interface Tree {
  /** The names directly below a folder, files and folders. None when there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  facts(path: string): Promise<FileFacts | undefined>;
  read(path: string): Promise<Buffer | undefined>;
  /** Replaces a file as a whole; folders are made as needed. */
  write(path: string, content: Uint8Array): Promise<void>;
  /** A file, or a folder with all that is below. One that is not there is fine. */
  remove(path: string): Promise<void>;
  /** Moves a file or a folder in one step, where that can be had. `false` when there is no such thing. */
  readonly move?: (from: string, to: string) => Promise<boolean>;
  /** Says when a file was written, where that can be said. */
  readonly date?: (path: string, written: Date) => Promise<void>;
}
