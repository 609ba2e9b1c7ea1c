import {
  KeyChangeBody,
  KeyList,
  KeyView,
  MadeKeyAnswer,
  MadeUserAnswer,
  NewKeyBody,
  NewUserBody,
  UserChangeBody,
  UserList,
  UserView,
} from "../../../wire/account.ts";
import {
  InvitationList,
  MadeInvitationAnswer,
  NewAccountBody,
  NewInvitationBody,
} from "../../../wire/invitation.ts";
import {
  LoginAnswer,
  LoginBody,
  MeAnswer,
  PasswordBody,
  SessionList,
  TokenAnswer,
} from "../../../wire/login.ts";
import type { Operations } from "../operation.ts";

/** Keys, users, invitations and log-ins. */
export const ACCOUNT_OPERATIONS: Operations = {
  "GET /api/keys": {
    summary: "List the keys: one's own, or all for those who manage them",
    answer: { KeyList },
  },
  "POST /api/keys": {
    summary: "Make a key; it is shown once",
    body: { NewKeyBody },
    example: { name: "ci", permissions: ["openai.inference"] },
    answer: { MadeKeyAnswer },
    status: 201,
  },
  "GET /api/keys/:id": { summary: "Show a key", answer: { KeyView } },
  "PATCH /api/keys/:id": {
    summary: "Change a key",
    body: { KeyChangeBody },
    example: { name: "ci 2" },
    answer: { KeyView },
  },
  "POST /api/keys/:id/rotate": {
    summary: "Make another secret for a key; the old one ends",
    answer: { MadeKeyAnswer },
  },
  "POST /api/keys/:id/revoke": {
    summary: "End a key; it stays in the list",
    answer: { KeyView },
  },
  "DELETE /api/keys/:id": { summary: "Delete a key", status: 204 },
  "GET /api/users": { summary: "List the users", answer: { UserList } },
  "POST /api/users": {
    summary: "Add a user; a password is made up unless one is given",
    body: { NewUserBody },
    example: { username: "ada", role: "viewer" },
    answer: { MadeUserAnswer },
    status: 201,
  },
  "GET /api/users/:id": { summary: "Show a user", answer: { UserView } },
  "PUT /api/users/:id": {
    summary: "Change a user, as PATCH does",
    body: { UserChangeBody },
    example: {},
    answer: { MadeUserAnswer },
  },
  "PATCH /api/users/:id": {
    summary: "Change a user",
    body: { UserChangeBody },
    example: { role: "viewer" },
    answer: { MadeUserAnswer },
  },
  "DELETE /api/users/:id": { summary: "Delete a user and his keys", status: 204 },
  "GET /api/invitations": { summary: "List the invitations", answer: { InvitationList } },
  "POST /api/invitations": {
    summary: "Invite somebody to make an account; the code is shown once",
    body: { NewInvitationBody },
    example: {},
    answer: { MadeInvitationAnswer },
    status: 201,
  },
  "DELETE /api/invitations/:id": { summary: "Revoke an invitation", status: 204 },
  "POST /api/auth/login": {
    summary: "Log in with a password; the answer sets the session's cookie",
    body: { LoginBody },
    answer: { LoginAnswer },
  },
  "POST /v0/auth/login": {
    summary: "Log in with a password; the answer has a token",
    body: { LoginBody },
    answer: { TokenAnswer },
  },
  "POST /api/auth/logout": { summary: "Log out", status: 204 },
  "POST /api/auth/register": {
    summary: "Make an account with an invitation; it logs in",
    body: { NewAccountBody },
    answer: { LoginAnswer },
    status: 201,
  },
  "POST /v0/auth/register": {
    summary: "Make an account with an invitation",
    body: { NewAccountBody },
    status: 201,
  },
  "GET /api/auth/me": {
    summary: "Who asks, what he may, and how one logs in here",
    answer: { MeAnswer },
  },
  "GET /v0/auth/me": { summary: "Which user asks" },
  "PUT /api/auth/password": {
    summary: "Change one's own password; other sessions end",
    body: { PasswordBody },
    answer: { LoginAnswer },
  },
  "GET /api/auth/sessions": { summary: "List one's own sessions", answer: { SessionList } },
  "DELETE /api/auth/sessions/:id": { summary: "End a session of one's own", status: 204 },
  "GET /api/auth/oidc/login": { summary: "Go to the provider of log-ins", status: 302 },
  "GET /api/auth/oidc/callback": { summary: "Come back from it, logged in", status: 302 },
};
