/** What a registry accepts of a user. */
export type Credentials = { readonly from: string } & (
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** Buys tokens of a token server. */
  | { readonly kind: "identity"; readonly token: string }
  /** Is a token. */
  | { readonly kind: "token"; readonly token: string }
);
