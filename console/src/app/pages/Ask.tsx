import { useNavigate, useParams } from "@tanstack/react-router";
import { AskPage } from "@/features/agents";

/** One page for a new question and for a conversation, so that an answer goes on while the address changes. */
export function Ask() {
  const { threadId } = useParams({ strict: false });
  const navigate = useNavigate();
  return (
    <AskPage
      threadId={threadId}
      onThread={(next) => void (next === undefined ? navigate({ to: "/ask" }) : navigate({ to: "/ask/$threadId", params: { threadId: next } }))}
    />
  );
}
