/**
 * What only some plugins need: a part gets into a module with the first row that is declared with it.
 *
 * The compiler takes in what something names; so the part is named where its row is declared, and called through here.
 */
import * as members from './members'
import * as memberOutputs from './member-outputs'
import * as texts from './texts'
import * as writer from './writer'
import { Input } from './values'

/** Where the value of a member of the object at `at` begins; 0 when there is none. */
export let member: ((at: usize, end: usize, key: usize, bytes: usize) => usize) | null = null

export function useMembers(): void {
  member = members.member
}

/** Writes the string at `at` as UTF-8 into the input's buffer; its bytes, -1 when it is none. */
export let decode: ((input: Input, at: usize, end: usize) => i32) | null = null

export function useTexts(): void {
  decode = texts.decode
}

/** Appends a number in the shortest text that means it. */
export let shortest: ((value: f64) => void) | null = null

export function useShortest(): void {
  shortest = writer.shortest
}

/** Writes the changed rows that are members of the path of row `at`; false when none is to be written with it. */
export let memberRows: ((at: i32, from: i32, to: i32) => bool) | null = null

export function useMemberOutputs(): void {
  memberRows = memberOutputs.write
}
