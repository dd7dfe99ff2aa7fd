using System.Collections.Immutable;
using System.Globalization;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;
using PsyLite.Server;
using PsyLite.Server.Observability;
using PsyLite.Store.Conversations;

namespace PsyLite.Web.Live;

/// <summary>Whether crosstalk is shown.</summary>
public enum Humour
{
    Offered,

    /// <summary>The person does not want it.</summary>
    TurnedOff,

    /// <summary>Danger came up: no joke stays on the screen beside it.</summary>
    Withdrawn,
}

/// <summary>What a turn on the page runs through.</summary>
internal sealed record TurnRoom(RecordedTurns Turns, CrosstalkLibrary Library, Telemetry Telemetry, OpenTurns Open, ILogger<LiveConversation> Logger);

/// <summary>
/// One conversation that is open on some page, or whose reply still runs. It belongs to no connection: a page that reloads finds it as it is.
/// Safe to share; one turn at a time.
/// </summary>
internal sealed class LiveConversation
{
    private readonly TurnRoom _room;
    private readonly Lock _lock = new();
    private RecordedConversation _record;
    private ImmutableArray<Exchange> _exchanges = [];
    private CancellationTokenSource? _turn;

    public LiveConversation(TurnRoom room, RecordedConversation record, bool isTemporary)
    {
        (_room, _record, IsTemporary) = (room, record, isTemporary);
        _exchanges = Read(record);
    }

    /// <summary>Something is to be drawn anew. Raised on the turn's own thread.</summary>
    public event Action? Changed;

    public string Id => _record.Id;

    public string Owner => _record.Owner;

    public bool IsTemporary { get; }

    public string? Title => _record.Title;

    public IReadOnlyList<Exchange> Exchanges => _exchanges;

    public bool IsReplying => _turn is not null;

    /// <summary>The risk state as the last turn left it.</summary>
    public ConversationState State => _record.State;

    /// <summary>Danger is in force: no jokes, and nothing that was said is taken back by writing it anew.</summary>
    public bool IsAtRisk => Severity.IsCrisis(State.Tier) || State.AwaitsClearing || _exchanges is [.., { Route: Route.Danger }];

    /// <summary>The newest exchange may be answered again or worded anew.</summary>
    public bool MayRewrite => !IsReplying && !IsAtRisk && _exchanges is [.., { IsByCounsellor: false }];

    public Humour Humour => IsAtRisk || _exchanges.Any(e => e.Route == Route.Danger) ? Humour.Withdrawn
        : _record.Settings.HumourAllowed ? Humour.Offered
        : Humour.TurnedOff;

    /// <summary>Takes what must be told to the person once: that this conversation is not being saved, and why.</summary>
    public string? TakeProblem() => _record.TakeProblem();

    /// <summary>Begins a turn; false while another one runs.</summary>
    public bool Send(string text, bool hasReminder = false) => Begin(new Exchange(RecordId.Create(), text) { HasReminder = hasReminder }, _ => Task.CompletedTask);

    /// <summary>The newest message again, with a reply of its own or with other words; false when that is not possible now.</summary>
    public bool Rewrite(string? text = null)
    {
        if (!MayRewrite || _exchanges is not [.., var last])
        {
            return false;
        }

        var next = new Exchange(RecordId.Create(), text ?? last.Said);
        var isTitle = _exchanges.Length == 1 && Title == RecordedConversation.TitleOf(last.Said);
        return Begin(next, record => ReplaceAsync(record, last.TurnId, isTitle ? RecordedConversation.TitleOf(next.Said) : null), replaces: true);
    }

    /// <summary>Tries a turn again that came to no reply. It counts once, whatever it was.</summary>
    public bool Retry() =>
        !IsReplying && _exchanges is [.., { HasNoReply: true } last] && Begin(new Exchange(last.TurnId, last.Said), _ => Task.CompletedTask, replaces: true);

    public void Stop()
    {
        lock (_lock)
        {
            _turn?.Cancel();
        }
    }

    public async Task RenameAsync(string title)
    {
        await _record.RenameAsync(title);
        Changed?.Invoke();
    }

    public async Task SettleAsync(PersonSettings settings)
    {
        await _record.SettleAsync(settings);
        Changed?.Invoke();
    }

    /// <summary>
    /// Reads the conversation anew, where a counsellor wrote into it or lifted its danger. What is shown already stays as it is, and while a turn runs
    /// nothing happens. A conversation that could not be written any more gets the counsellor's words and keeps the rest: the record knows less than it.
    /// </summary>
    public async Task RefreshAsync(StoreSource source)
    {
        var (known, shown) = (_record, _exchanges);
        await known.SavedAsync();
        if (IsReplying || await RecordedConversation.OpenAsync(source, Owner, Id, CancellationToken.None) is not { } record)
        {
            return;
        }

        lock (_lock)
        {
            if (_turn is not null || _exchanges != shown)
            {
                return;
            }

            var stored = Read(record);
            var words = stored.Where(e => e.IsByCounsellor && !shown.Any(s => s.TurnId == e.TurnId)).ToList();
            if (words.Count == 0 && (!known.IsSaved || record.State.Ticket?.Id == known.State.Ticket?.Id))
            {
                return;
            }

            _exchanges = known.IsSaved ? [.. stored.Select(e => shown.FirstOrDefault(s => s.TurnId == e.TurnId && s.Stage == ExchangeStage.Done) ?? e)] : shown.AddRange(words);
            _record = known.IsSaved ? record : known;
        }

        Changed?.Invoke();
    }

    /// <summary>Completes when the turn that runs now, if any, is over and written.</summary>
    public Task Running { get; private set; } = Task.CompletedTask;

    /// <param name="replaces">The exchange takes the place of the newest one.</param>
    private bool Begin(Exchange exchange, Func<RecordedConversation, Task> before, bool replaces = false)
    {
        lock (_lock)
        {
            if (_turn is not null)
            {
                return false;
            }

            _turn = new CancellationTokenSource();
            _exchanges = replaces ? _exchanges.SetItem(_exchanges.Length - 1, exchange) : _exchanges.Add(exchange);
            Running = RunAsync(exchange, before, _turn);
        }

        Changed?.Invoke();
        return true;
    }

    private async Task RunAsync(Exchange exchange, Func<RecordedConversation, Task> before, CancellationTokenSource stop)
    {
        // The page's own thread goes on; it may be gone before the reply is there.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var open = _room.Open.Open(stop.Token);
        using var measured = _room.Telemetry.Begin("page");
        var end = ExchangeStage.Done;
        try
        {
            await before(_record);
            await foreach (var e in _room.Turns.RunAsync(_record, exchange.TurnId, exchange.Said, null, exchange.Shown, open.Token))
            {
                measured.Saw(e);
                exchange.Apply(e);
                Changed?.Invoke();
            }
        }
        catch (OperationCanceledException) when (open.Token.IsCancellationRequested)
        {
            end = ExchangeStage.Stopped;
        }
        catch (Exception e)
        {
            // The turn's boundary: the kind is logged, never the message, which may quote what was said.
            TurnLog.Failed(_room.Logger, "page", e.GetType().Name);
            end = ExchangeStage.Failed;
        }

        lock (_lock)
        {
            exchange.End(end);
            _turn = null;
            stop.Dispose();
        }

        Changed?.Invoke();
        await HideTitleAsync(exchange);
        await _record.SavedAsync();
        Changed?.Invoke();
    }

    /// <summary>Words that were taken back do not stay in the title that was made of them.</summary>
    private static async Task ReplaceAsync(RecordedConversation record, string turnId, string? title)
    {
        await record.RewindAsync(turnId);
        if (title is not null)
        {
            await record.RenameAsync(title);
        }
    }

    /// <summary>A list of titles is read over the shoulder: words of danger do not stand in it.</summary>
    private Task HideTitleAsync(Exchange exchange) => exchange.Route == Route.Danger && _exchanges.Length == 1
        ? _record.RenameAsync(_room.Telemetry.Time.GetLocalNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))
        : Task.CompletedTask;

    private ImmutableArray<Exchange> Read(RecordedConversation record) =>
    [
        .. record.Messages.GroupBy(m => m.TurnId).Select(turn => Exchange.Of(
            turn.Key,
            turn.FirstOrDefault(m => m.Author == Author.Person)?.Body,
            turn.FirstOrDefault(m => m.Author != Author.Person),
            id => _room.Library.Pieces.FirstOrDefault(p => p.Id == id))),
    ];
}
