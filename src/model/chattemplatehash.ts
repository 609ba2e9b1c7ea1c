/**
 * A short hash that tells one chat template from another; null for no template. Balancer and nodes
 * compare it to see whether a node has the template that an operator gave.
 */
export function chatTemplateHash(template: string | null | undefined): string | null {
  return template == null ? null : Bun.hash(template).toString(36);
}
