import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { asApiError } from "@/api/problem";
import { useAllowance } from "@/api/session";
import { Button, Card, Denied, Failure, Loading, Notice, Page, SkeletonLines, State, toast } from "@/design";
import { ALL, conversationQuery, createThread, threadQuery } from "./api";
import { Answering, MessageView, Question } from "./MessageView";
import { QuestionBox } from "./QuestionBox";
import type { Asked, Conversation, ThreadStatus } from "./shapes";
import { ThreadList } from "./ThreadList";
import { useAsking } from "./useAsking";
import s from "./agents.module.css";

interface Props {
  threadId: string | undefined;
  onThread: (threadId: string | undefined) => void;
}

const EXAMPLES = ["Which contracts renew by themselves?", "Which law governs each contract?", "How long is the notice period of the services agreement?"];

/** Questions about the tenant's contracts, answered with the clauses that say so. */
export function AskPage(props: Props) {
  const may = useAllowance("agent.run");
  if (!may.allowed) return <Page><Card><Denied reason={may.reason ?? ""} /></Card></Page>;
  return <Asking {...props} />;
}

function Asking({ threadId, onThread }: Props) {
  const queryClient = useQueryClient();
  const asking = useAsking();
  async function send(question: string) {
    try {
      const thread = threadId ?? (await createThread(question)).id;
      if (threadId === undefined) onThread(thread);
      void queryClient.invalidateQueries({ queryKey: [...ALL, "threads"] });
      await asking.send(thread, question);
    } catch (error) {
      toast(asApiError(error).message, { tone: "critical" });
    }
  }
  return (
    <div className={s.page}>
      <ThreadList chosen={threadId} onThread={onThread} />
      <section className={s.talk} aria-label="Conversation">
        <Talk threadId={threadId} asking={asking} onAsk={(question) => void send(question)} />
        <div className={s.foot}>
          <QuestionBox busy={asking.busy} onSend={(question) => void send(question)} onStop={threadId === undefined ? undefined : () => void asking.cancel(threadId)} />
        </div>
      </section>
    </div>
  );
}

interface TalkProps {
  threadId: string | undefined;
  asking: ReturnType<typeof useAsking>;
  onAsk: (question: string) => void;
}

function Talk({ threadId, asking, onAsk }: TalkProps) {
  if (threadId !== undefined) return <Thread key={threadId} threadId={threadId} asking={asking} />;
  return <div className={s.messages}>{asking.telling === null ? <Welcome onAsk={onAsk} /> : <Told asking={asking} conversation={undefined} />}</div>;
}

function Thread({ threadId, asking }: { threadId: string; asking: ReturnType<typeof useAsking> }) {
  const thread = useQuery(threadQuery(threadId));
  const status = thread.data?.status;
  const state = useQuery({ ...conversationQuery(threadId, status), enabled: status !== undefined });
  const list = useRef<HTMLDivElement>(null);
  const { telling } = asking;
  const told = telling === null ? 0 : 1 + telling.activity.length + telling.sentences.length;
  const length = told + (state.data?.messages.length ?? 0);
  // Synchronizes the scroll position with the newest words.
  useEffect(() => { list.current?.scrollTo({ top: list.current.scrollHeight }); }, [length]);
  const error = thread.error ?? state.error;
  if (error !== null) return <div className={s.messages}><Failure what="The conversation" error={error} onRetry={() => { void thread.refetch(); void state.refetch(); }} /></div>;
  return (
    <div className={s.messages} ref={list} aria-live="polite">
      {state.data === undefined && telling === null ? <Loading label="Loading the conversation"><SkeletonLines count={5} /></Loading> : <Told asking={asking} conversation={state.data} />}
      {telling === null && <Standing status={status} />}
      {state.data?.asked.map((asked) => <Waits key={asked.approval} asked={asked} />)}
    </div>
  );
}

function Told({ asking, conversation }: { asking: ReturnType<typeof useAsking>; conversation: Conversation | undefined }) {
  return (
    <>
      <Messages conversation={conversation} told={asking.telling?.question} />
      {asking.telling !== null && <Answering telling={asking.telling} live={asking.busy} />}
    </>
  );
}

/** Where the thread stands when nobody here follows it. */
function Standing({ status }: { status: ThreadStatus | undefined }) {
  if (status === "busy") return <Notice>It is at work on the last question; the answer appears here.</Notice>;
  return status === "error" ? <Notice tone="critical" title="The last question was not answered">Something failed on the way. Ask it again.</Notice> : null;
}

function Waits({ asked }: { asked: Asked }) {
  return (
    <Notice tone="medium" title="It waits for a person" action={<Link to="/approvals/$approvalId" params={{ approvalId: asked.approval }}>Look at it and decide</Link>}>
      {asked.what}. Nothing is done before it is approved; it goes on by itself after that.
    </Notice>
  );
}

/** What the state has; while a question is being answered the state may have it already. */
function Messages({ conversation, told }: { conversation: Conversation | undefined; told: string | undefined }) {
  const messages = conversation?.messages ?? [];
  const last = messages.findLastIndex(({ type }) => type === "human");
  const isThere = told !== undefined && last >= 0 && messages[last]?.content === told;
  const shown = isThere ? messages.slice(0, last) : messages;
  return (
    <>
      {shown.map((message, index) => <MessageView key={message.id ?? index} message={message} />)}
      {told !== undefined && <Question text={told} />}
    </>
  );
}

function Welcome({ onAsk }: { onAsk: (question: string) => void }) {
  return (
    <State icon="chat" title="Ask your contracts" actions={<div className={s.examples}>{EXAMPLES.map((example) => <Button key={example} size="s" onClick={() => { onAsk(example); }}>{example}</Button>)}</div>}>
      <p>Every answer cites the clauses that it rests on, and each citation opens the contract at its place. Without a capable model the answer is what the clauses themselves say.</p>
    </State>
  );
}
