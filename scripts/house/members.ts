import { realpathSync } from "node:fs";
import { join } from "node:path";
import {
  type Identifier,
  isBindingElement,
  isClassDeclaration,
  isIdentifier,
  type Node,
  type SourceFile,
  SyntaxKind,
} from "typescript/unstable/ast";
import { API, type Checker, type Symbol as CompilerSymbol } from "typescript/unstable/async";
import { MEMBERS_KEPT } from "./exceptions.ts";
import { type Breach, isProduction, lineAt, type Source } from "./source.ts";

/** A public method, accessor or field of an exported class. */
interface Member {
  file: string;
  line: number;
  className: string;
  /** The identifier that names it, in its own declaration. */
  name: Identifier;
}

/** What the compiler says of one production file. */
interface Program {
  file: string;
  tree: SourceFile;
}

/**
 * Public members of exported classes that no production file uses. The compiler resolves every
 * use. A member counts as used, too, when its class implements or extends something that names
 * it, or when the program uses a member of that name of one of its own interfaces.
 */
export async function unreachedMembers(root: string, sources: Source[]): Promise<Breach[]> {
  const place = realpathSync(root);
  const api = new API({ cwd: place });
  try {
    const snapshot = await api.updateSnapshot({ openProject: join(place, "tsconfig.json") });
    const [project] = snapshot.getProjects();
    if (project === undefined) return [];
    const files: Program[] = [];
    for (const { path } of sources.filter((source) => isProduction(source.path))) {
      const tree = await project.program.getSourceFile(join(place, path));
      if (tree !== undefined) files.push({ file: path, tree });
    }
    const members = files.flatMap(publicMembers);
    const names = new Set(members.map(({ name }) => name.text));
    const uses = await usesOf(project.checker, files, names, join(place, "src/"));
    return await unusedAmong(project.checker, members, uses);
  } finally {
    await api.close();
  }
}

async function unusedAmong(checker: Checker, members: Member[], uses: Uses): Promise<Breach[]> {
  const symbols = await checker.getSymbolAtLocation(members.map(({ name }) => name));
  const breaches: Breach[] = [];
  for (const [i, { file, line, className, name }] of members.entries()) {
    const label = `${className}.${name.text}`;
    if (Object.hasOwn(MEMBERS_KEPT, label) || uses.loosely.has(name.text)) continue;
    if (keysOf(symbols[i]).some((key) => uses.declarations.has(key))) continue;
    if (await isInherited(checker, name)) continue;
    const text = `nothing but tests uses ${label}`;
    breaches.push({ file, line, rule: "unreached", text });
  }
  return breaches;
}

function publicMembers({ file, tree }: Program): Member[] {
  return tree.statements.flatMap((statement) => {
    if (!isClassDeclaration(statement) || !hasModifier(statement, SyntaxKind.ExportKeyword)) {
      return [];
    }
    const className = statement.name?.text ?? "";
    return statement.members.flatMap((member) => {
      const name = "name" in member ? (member.name as Node | undefined) : undefined;
      if (name === undefined || !isIdentifier(name) || isHidden(member)) return [];
      return [{ file, line: lineAt(tree.text, name.end), className, name }];
    });
  });
}

function isHidden(member: Node): boolean {
  return [SyntaxKind.PrivateKeyword, SyntaxKind.ProtectedKeyword].some((kind) =>
    hasModifier(member, kind),
  );
}

function hasModifier(node: Node, kind: SyntaxKind): boolean {
  const modifiers = "modifiers" in node ? (node.modifiers as Node[] | undefined) : undefined;
  return [...(modifiers ?? [])].some((modifier) => modifier.kind === kind);
}

/** What the program uses of the names that matter. */
interface Uses {
  /** Where that which is used is declared. */
  declarations: Set<string>;
  /** Names used in a way that does not lead to a class: of an interface, or unpacked. */
  loosely: Set<string>;
}

async function usesOf(
  checker: Checker,
  files: Program[],
  names: Set<string>,
  own: string,
): Promise<Uses> {
  const uses: Uses = { declarations: new Set(), loosely: new Set() };
  for (const { tree } of files) {
    const identifiers = usedIdentifiers(tree, names);
    const symbols = await checker.getSymbolAtLocation(identifiers);
    for (const [i, identifier] of identifiers.entries()) {
      const declarations = symbols[i]?.declarations ?? [];
      for (const key of keysOf(symbols[i])) uses.declarations.add(key);
      const isLoose = declarations.some(
        ({ kind, path }) => SIGNATURES.has(kind) && path.startsWith(own),
      );
      if (isLoose || isBindingElement(identifier.parent)) uses.loosely.add(identifier.text);
    }
  }
  return uses;
}

const SIGNATURES = new Set([SyntaxKind.PropertySignature, SyntaxKind.MethodSignature]);

const MEMBERS = new Set([
  SyntaxKind.MethodDeclaration,
  SyntaxKind.PropertyDeclaration,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
  ...SIGNATURES,
]);

/** The identifiers of a file that bear one of these names and are not its declaration. */
function usedIdentifiers(tree: SourceFile, names: Set<string>): Identifier[] {
  const found: Identifier[] = [];
  const visit = (node: Node): undefined => {
    if (isIdentifier(node) && names.has(node.text)) {
      const { parent } = node;
      const declares = MEMBERS.has(parent.kind) && "name" in parent && parent.name === node;
      if (!declares) found.push(node);
    }
    node.forEachChild(visit);
  };
  visit(tree);
  return found;
}

function keysOf(symbol: CompilerSymbol | undefined): string[] {
  return (symbol?.declarations ?? []).map(({ path, index }) => `${path}:${index}`);
}

/** Whether what the class of a member implements or extends has a member of that name. */
async function isInherited(checker: Checker, name: Identifier): Promise<boolean> {
  const owner = name.parent.parent;
  if (!isClassDeclaration(owner)) return false;
  for (const clause of owner.heritageClauses ?? []) {
    for (const node of clause.types) {
      const type = await checker.getTypeAtLocation(node);
      if (type !== undefined && (await checker.getPropertyOfType(type, name.text))) return true;
    }
  }
  return false;
}
