import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ago, Button, IconButton, Loading, More, SkeletonLines, Spinner, Text, toast } from "@/design";
import { ALL, deleteThread, threadsQuery } from "./api";
import type { Thread } from "./shapes";
import s from "./agents.module.css";

interface Props {
  chosen: string | undefined;
  onThread: (threadId: string | undefined) => void;
}

export function ThreadList({ chosen, onThread }: Props) {
  const list = useInfiniteQuery(threadsQuery);
  const threads = list.data?.pages.flat() ?? [];
  return (
    <nav className={s.threads} aria-label="Conversations">
      <Button icon="plus" onClick={() => { onThread(undefined); }}>New question</Button>
      {list.isPending && <Loading label="Loading the conversations"><SkeletonLines count={3} /></Loading>}
      {list.isError && <Text tone="critical" size="s">{list.error.message}</Text>}
      <ul>{threads.map((thread) => <Line key={thread.id} thread={thread} chosen={thread.id === chosen} onGone={() => { onThread(undefined); }} />)}</ul>
      <More list={list} />
    </nav>
  );
}

function Line({ thread, chosen, onGone }: { thread: Thread; chosen: boolean; onGone: () => void }) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteThread(thread.id),
    onSuccess: () => {
      if (chosen) onGone();
      return queryClient.invalidateQueries({ queryKey: [...ALL, "threads"] });
    },
    onError: (error) => { toast(error.message, { tone: "critical" }); },
  });
  return (
    <li data-chosen={chosen || undefined}>
      <Link to="/ask/$threadId" params={{ threadId: thread.id }} aria-current={chosen ? "page" : undefined}>
        <span>{thread.title}</span>
        <small>{thread.status === "busy" && <Spinner label="At work" />}{thread.status === "interrupted" ? "Waits for a person" : ago(thread.updatedAt)}</small>
      </Link>
      <IconButton size="s" icon="trash" label={`Delete: ${thread.title}`} busy={remove.isPending} onClick={() => { remove.mutate(); }} />
    </li>
  );
}
