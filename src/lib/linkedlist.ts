/** An item of a list. It can be in one list at a time. */
export class ListItem {
  list: LinkedList<ListItem> | undefined;
  previous: ListItem | undefined;
  next: ListItem | undefined;
}

/** A doubly linked list: adding, taking the first and removing any item take constant time. */
export class LinkedList<T extends ListItem> {
  #first: ListItem | undefined;
  #last: ListItem | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first as T | undefined;
  }

  /** Appends an item that is in no list. */
  push(item: T): void {
    item.list = this as unknown as LinkedList<ListItem>;
    item.previous = this.#last;
    item.next = undefined;
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    this.#size += 1;
  }

  /** Removes an item; false if it is not in this list. */
  remove(item: T): boolean {
    if (item.list !== (this as unknown)) return false;
    if (item.previous === undefined) this.#first = item.next;
    else item.previous.next = item.next;
    if (item.next === undefined) this.#last = item.previous;
    else item.next.previous = item.previous;
    item.list = undefined;
    item.previous = undefined;
    item.next = undefined;
    this.#size -= 1;
    return true;
  }

  /** Iterates from first to last; the current item may be removed meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    let item = this.#first;
    while (item !== undefined) {
      const { next } = item;
      yield item as T;
      item = next;
    }
  }
}
