export { ApprovalPage } from "./ApprovalPage";
export { InboxPage } from "./InboxPage";
export { waitingQuery } from "./queries";
