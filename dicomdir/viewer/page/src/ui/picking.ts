/** A folder of this computer, picked by a button or dropped onto the page. */
import type { PickedFile } from "../data/folder.ts";
import { el } from "./dom.ts";

interface Entry {
  isFile: boolean;
  isDirectory: boolean;
  name: string;
  file(done: (file: File) => void, failed: (error: unknown) => void): void;
  createReader(): {
    readEntries(done: (all: Entry[]) => void, failed: (error: unknown) => void): void;
  };
}

interface Handle {
  kind: "file" | "directory";
  name: string;
  getFile(): Promise<File>;
  values(): AsyncIterable<Handle>;
}

const MOST_FILES = 500_000;

/** Resolves with nothing where a person thinks better of it. */
export function pickFolder(): Promise<PickedFile[]> {
  return new Promise((resolve) => {
    const input = el("input", {
      type: "file",
      multiple: "",
      webkitdirectory: "",
      id: "folder",
      hidden: "",
    });
    document.getElementById("folder")?.remove();
    document.body.append(input);
    const done = () => {
      input.remove();
      resolve(
        [...(input.files ?? [])].map((file) => ({
          path: file.webkitRelativePath || file.name,
          file,
        })),
      );
    };
    input.addEventListener("change", done);
    input.addEventListener("cancel", done);
    input.click();
  });
}

/** Whether they came from a folder: WebKitGTK's dialog lets a person choose loose files only. */
export function isFolder(files: readonly PickedFile[]): boolean {
  return files.some(({ path }) => path.includes("/"));
}

/**
 * Folders and files that are dropped anywhere on the page; nothing where the browser keeps them.
 *
 * WebKitGTK says of files only that there is a list of addresses, and would open them in the place
 * of this page.
 */
export function onDrop(take: (files: PickedFile[]) => void): void {
  let isOwn = false;
  document.addEventListener("dragstart", () => {
    isOwn = true;
  });
  document.addEventListener("dragend", () => {
    isOwn = false;
  });
  const isFromOutside = ({ dataTransfer }: DragEvent) =>
    !isOwn && dataTransfer?.types.some((type) => type === "Files" || type === "text/uri-list");
  document.addEventListener("dragover", (event) => {
    if (isFromOutside(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!isFromOutside(event)) return;
    event.preventDefault();
    const transfer = event.dataTransfer!;
    if (transfer.getData("text/uri-list")) return; // a link; what it says of files is empty
    const isKept = !transfer.types.includes("Files");
    void dropped(transfer).then((files) => {
      if (files.length || isKept) take(files);
    });
  });
}

/** Everything is asked for at once: the list is empty after the first wait. */
async function dropped(transfer: DataTransfer): Promise<PickedFile[]> {
  const loose = [...transfer.files].map((file) => ({ path: file.name, file }));
  const items = [...transfer.items].filter((each) => each.kind === "file");
  const handles = items.map((each) => {
    const ask = (each as unknown as { getAsFileSystemHandle?: () => Promise<Handle | null> })
      .getAsFileSystemHandle;
    return ask ? ask.call(each).catch(() => null) : null;
  });
  const entries = items.map((each) => each.webkitGetAsEntry?.() as unknown as Entry | null);
  const out: PickedFile[] = [];
  for (let i = 0; i < items.length; i++) {
    // Chromium lists entries of a page from a file and then cannot read them: handles first.
    const handle = await handles[i];
    try {
      if (handle) await fromHandle(handle, "", out);
      else if (entries[i]) await fromEntry(entries[i]!, "", out);
    } catch {
      // Whatever could not be read is not there; loose files below may still be.
    }
  }
  return out.length ? out : loose;
}

async function fromHandle(handle: Handle, above: string, out: PickedFile[]): Promise<void> {
  if (out.length >= MOST_FILES) return;
  const path = above + handle.name;
  if (handle.kind === "file") out.push({ path, file: await handle.getFile() });
  else for await (const each of handle.values()) await fromHandle(each, `${path}/`, out);
}

async function fromEntry(entry: Entry, above: string, out: PickedFile[]): Promise<void> {
  if (out.length >= MOST_FILES) return;
  const path = above + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => entry.file(done, failed));
    out.push({ path, file });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise<Entry[]>((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return; // a reader gives about a hundred at a time
    for (const each of some) await fromEntry(each, `${path}/`, out);
  }
}
