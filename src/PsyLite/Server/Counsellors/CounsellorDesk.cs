using System.Security.Claims;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using PsyLite.Agent.Crisis;
using PsyLite.Agent.Risk;
using PsyLite.Server.Accounts;
using PsyLite.Store;
using PsyLite.Store.Accounts;
using PsyLite.Store.Conversations;
using PsyLite.Store.Sql;

namespace PsyLite.Server.Counsellors;

/// <summary>A call for a person, as the queue shows it: how grave and how old, never what was said.</summary>
/// <param name="Counsellor">Who is in charge; null while nobody is.</param>
/// <param name="IsMine">The one who looks is in charge.</param>
/// <param name="IsKept">The conversation is here and can be opened; a temporary one, and one that a front end keeps, is not.</param>
public sealed record PersonCall(string ConversationId, Tier Tier, DateTimeOffset At, string? Counsellor, bool IsMine, bool IsKept);

/// <summary>One line of a conversation for a counsellor.</summary>
public sealed record TalkLine(int Ordinal, bool IsPerson, bool IsCounsellor, DateTimeOffset At, string Text);

/// <summary>How often something was done in the last week and in the last month.</summary>
public sealed record CareFigure(string Name, int Week, int Month);

/// <summary>
/// What counsellors do: see who needs a person, take a conversation over, read and answer it, and say when the danger is past. A conversation is
/// opened only by whoever is in charge of it and only while it calls for a person; every opening is in the audit. Each step looks at the account
/// anew, so that one who was let go is out at once.
/// </summary>
internal sealed class CounsellorDesk(StoreHost store, ConversationNews news, TimeProvider time, AccountBook? accounts, IOptions<IdentityOptions>? identity)
{
    private const int LongestReply = 4000;
    private static readonly TimeSpan Month = TimeSpan.FromDays(30);
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);

    /// <summary>Gravest first, oldest first among equals.</summary>
    public async Task<IReadOnlyList<PersonCall>> QueueAsync(ClaimsPrincipal user, CancellationToken cancellationToken)
    {
        var me = await ActorAsync(user, cancellationToken);
        var kept = await store.TicketsAsync(cancellationToken);
        var claims = await (await store.TakeoversAsync()).ListAsync(cancellationToken);
        var names = accounts is null ? [] : (await accounts.ListAsync(cancellationToken)).ToDictionary(a => a.Id, a => a.Name);
        var known = kept.Select(t => t.Id).ToHashSet();
        return [.. kept.Select(t => Call(t, isKept: true)).Concat(store.Desk.Open.Where(t => !known.Contains(t.Id)).Select(t => Call(t, isKept: false)))
            .OrderByDescending(c => Severity.Of(c.Tier)).ThenBy(c => c.At)];

        PersonCall Call(TakeoverTicket ticket, bool isKept) =>
            claims.TryGetValue(ticket.ConversationId, out var by)
                ? new PersonCall(ticket.ConversationId, ticket.Tier, ticket.At, names.GetValueOrDefault(by, by), by == me, isKept)
                : new PersonCall(ticket.ConversationId, ticket.Tier, ticket.At, null, false, isKept);
    }

    /// <returns>False when somebody else was faster, or nobody is called for any more.</returns>
    public async Task<bool> ClaimAsync(ClaimsPrincipal user, string conversation, CancellationToken cancellationToken)
    {
        var me = await ActorAsync(user, cancellationToken);
        if (!(await store.TicketsAsync(cancellationToken)).Any(t => t.ConversationId == conversation)
            || !await (await store.TakeoversAsync()).ClaimAsync(conversation, me, cancellationToken))
        {
            return false;
        }

        store.Note("TakenOver", $"counsellor {me}", conversation);
        return true;
    }

    /// <summary>The conversation; null where the one who asks is not in charge of it.</summary>
    public async Task<IReadOnlyList<TalkLine>?> OpenAsync(ClaimsPrincipal user, string conversation, bool isFirst, CancellationToken cancellationToken)
    {
        if (await HeldAsync(user, conversation, cancellationToken) is not var (me, takeovers) || await takeovers.OpenAsync(conversation, cancellationToken) is not { } stored)
        {
            return null;
        }

        if (isFirst)
        {
            store.Note("ReadByCounsellor", $"counsellor {me}", conversation);
        }

        return [.. stored.Messages.Where(m => m.Body is not null).Select(m => new TalkLine(m.Ordinal, m.Author == Author.Person, m.Author == Author.Counsellor, m.At, m.Body!.Text))];
    }

    /// <summary>Writes into the conversation as a human; it appears on the person's page.</summary>
    public async Task<bool> ReplyAsync(ClaimsPrincipal user, string conversation, string text, CancellationToken cancellationToken)
    {
        text = text.Trim();
        if (text.Length is 0 or > LongestReply || await HeldAsync(user, conversation, cancellationToken) is not var (me, _)
            || !await (await store.TurnsAsync()).AddCounsellorAsync(conversation, text, cancellationToken))
        {
            return false;
        }

        store.Note("CounsellorReplied", $"counsellor {me}", conversation);
        await news.TellAsync(conversation);
        return true;
    }

    /// <summary>The danger is past: the risk state is lifted, the call closed and the conversation let go. Nothing else lifts T3 and above.</summary>
    public async Task<bool> CloseAsync(ClaimsPrincipal user, string conversation, CancellationToken cancellationToken)
    {
        if (await HeldAsync(user, conversation, cancellationToken) is not var (me, takeovers))
        {
            return false;
        }

        TakeoverTicket? ticket = null;
        var isDone = await (await store.TurnsAsync()).ChangeStateAsync(
            conversation,
            state =>
            {
                ticket = state.Ticket;
                state.ClearedByPerson();
            },
            cancellationToken);
        if (ticket is not null)
        {
            store.Desk.Close(ticket.Id);
        }

        await takeovers.ReleaseAsync(conversation, me, cancellationToken);
        store.Note(nameof(AuditAction.TicketCleared), $"counsellor {me}", conversation);
        await news.TellAsync(conversation);
        return isDone;
    }

    /// <summary>Gives the conversation back to the queue.</summary>
    public async Task ReleaseAsync(ClaimsPrincipal user, string conversation, CancellationToken cancellationToken)
    {
        if (await HeldAsync(user, conversation, cancellationToken) is var (me, takeovers) && await takeovers.ReleaseAsync(conversation, me, cancellationToken))
        {
            store.Note("GivenBack", $"counsellor {me}", conversation);
        }
    }

    /// <summary>Counts of what was done for safety, by action and by tier: no text, no conversation.</summary>
    public async Task<(IReadOnlyList<CareFigure> Actions, IReadOnlyList<CareFigure> Tiers)> FiguresAsync(ClaimsPrincipal user, CancellationToken cancellationToken)
    {
        await ActorAsync(user, cancellationToken);
        var now = time.GetUtcNow();
        var counts = await (await store.TakeoversAsync()).CountsAsync(now - Month, cancellationToken);
        var week = DateOnly.FromDateTime((now - Week).UtcDateTime);
        return (
            [.. Enum.GetNames<AuditAction>().Select(name => Sum(name, counts.Where(c => c.Action == name)))],
            [.. Enum.GetNames<Tier>().Where(t => t != nameof(Tier.T0)).Select(tier => Sum(tier, counts.Where(c => c.Tier == tier && c.Action == nameof(AuditAction.CrisisReply))))]);

        CareFigure Sum(string name, IEnumerable<CareCount> of) => new(name, of.Where(c => c.Day > week).Sum(c => c.Count), of.Sum(c => c.Count));
    }

    private async Task<(string Me, SqlTakeovers Takeovers)?> HeldAsync(ClaimsPrincipal user, string conversation, CancellationToken cancellationToken)
    {
        var me = await ActorAsync(user, cancellationToken);
        var takeovers = await store.TakeoversAsync();
        return await takeovers.HoldsAsync(conversation, me, cancellationToken) ? (me, takeovers) : null;
    }

    /// <exception cref="UnauthorizedAccessException">No counsellor, or not any more.</exception>
    private async Task<string> ActorAsync(ClaimsPrincipal user, CancellationToken cancellationToken)
    {
        var id = Owner.Of(user);
        if (accounts is null)
        {
            return id;
        }

        var stamp = identity is null ? null : user.FindFirstValue(identity.Value.ClaimsIdentity.SecurityStampClaimType);
        return await accounts.FindAsync(id, cancellationToken) is { IsDisabled: false, Role: >= AccountRole.Counsellor } account && account.Stamp == stamp
            ? account.Id
            : throw new UnauthorizedAccessException("not a counsellor, or not any more.");
    }
}
