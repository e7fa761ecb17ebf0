/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intrusive circular doubly linked lists: a struct list_head stands alone as
 * the list and inside each member as its link. A link that is not on a list
 * points to itself, so list_del() may be repeated and list_empty(&member->link)
 * tells whether a member is on a list. No locking.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

struct list_head {
    struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) {&(name), &(name)}
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void list_init(struct list_head *head)
{
    head->next = head;
    head->prev = head;
}

static inline bool list_empty(const struct list_head *head)
{
    return head->next == head;
}

/* Inserts @link, which is on no list, just after @where. */
static inline void list_add(struct list_head *link, struct list_head *where)
{
    link->next = where->next;
    link->prev = where;
    where->next->prev = link;
    where->next = link;
}

/* Inserts @link, which is on no list, just before @where: at the end, if @where is the head. */
static inline void list_add_tail(struct list_head *link, struct list_head *where)
{
    list_add(link, where->prev);
}

static inline void list_del(struct list_head *link)
{
    link->next->prev = link->prev;
    link->prev->next = link->next;
    list_init(link);
}

#define list_entry(link, type, member) container_of(link, type, member)

/* The first member of a list that is not empty. */
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)

#define list_for_each_entry(pos, head, member) \
    for (pos = list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head); \
         pos = list_entry(pos->member.next, __typeof__(*pos), member))

/* The same when the body may take @pos (and nothing else) off the list. */
#define list_for_each_entry_safe(pos, tmp, head, member) \
    for (pos = list_entry((head)->next, __typeof__(*pos), member), \
        tmp = list_entry(pos->member.next, __typeof__(*pos), member); \
         &pos->member != (head); \
         pos = tmp, tmp = list_entry(tmp->member.next, __typeof__(*tmp), member))

#endif
