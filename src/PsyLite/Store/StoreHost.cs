using PsyLite.Agent.Crisis;
using PsyLite.Options;
using PsyLite.Store.Accounts;
using PsyLite.Store.Audit;
using PsyLite.Store.Conversations;
using PsyLite.Store.Keys;
using PsyLite.Store.Sql;

namespace PsyLite.Store;

/// <summary>
/// The store of a running server: opened when it is first needed, when turns that an earlier run left open are marked as broken; swept by the
/// clock; closed with what is still to be written. Safe to share.
/// </summary>
internal sealed class StoreHost : IAsyncDisposable
{
    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromHours(1);
    private static readonly TimeSpan UntilFirstSweep = TimeSpan.FromSeconds(5);

    /// <summary>A store that did not open is tried again after this time; until then everybody hears why at once.</summary>
    private static readonly TimeSpan RestAfterFailure = TimeSpan.FromSeconds(10);
    private readonly AppOptions _options;
    private readonly TimeProvider _time;
    private readonly Action<string> _tell;
    private readonly DateTimeOffset _started;
    private readonly StoreWorker _worker;
    private readonly StoredAudit _audit;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private Task<Opened>? _opening;
    private long _tried;
    private ITimer? _sweeps;

    /// <param name="tell">Takes one line for the operator, such as that a damaged file was moved aside. Never a word of a conversation.</param>
    public StoreHost(AppOptions options, TimeProvider time, Action<string> tell)
    {
        _options = options;
        _time = time;
        _tell = tell;
        _started = time.GetUtcNow();
        _worker = new StoreWorker(time, fault => tell(Explain(fault)));
        _audit = new StoredAudit(_worker, async _ => (await OpenAsync()).Audit);
        Lasting = new StoreSource(async () => (await OpenAsync()).Conversations, Explain);
        Temporary = StoreSource.Of(new MemoryConversationStore(time));
    }

    /// <summary>Conversations that are kept.</summary>
    public StoreSource Lasting { get; }

    /// <summary>Conversations that never touch the disk.</summary>
    public StoreSource Temporary { get; }

    public IAuditLog Audit => _audit;

    /// <summary>Calls for a person that this process raised; those of all conversations on the disk are in <see cref="TicketsAsync"/>.</summary>
    public TakeoverQueue Desk { get; } = new();

    /// <summary>Sweeps now and then, for the first time when the start of the program is over.</summary>
    public void Start() => _sweeps = _time.CreateTimer(_ => _worker.Add(SweepAsync), null, UntilFirstSweep, BetweenSweeps);

    public async Task<IReadOnlyList<TakeoverTicket>> TicketsAsync(CancellationToken cancellationToken) =>
        await SqlTickets.ListAsync((await OpenAsync()).Database, cancellationToken);

    /// <summary>The turns on the disk, for a counsellor who writes into a conversation or lifts its danger.</summary>
    public async Task<SqlTurns> TurnsAsync() => (await OpenAsync()).Conversations.Turns;

    /// <summary>Who may sign in.</summary>
    public async Task<AccountBook> AccountsAsync() => (await OpenAsync()).Accounts;

    /// <summary>Which counsellor is in charge of what.</summary>
    public async Task<SqlTakeovers> TakeoversAsync() => (await OpenAsync()).Takeovers;

    /// <summary>What seals sessions: the same for every program on this store, so that any of them knows a session of another.</summary>
    public async Task<DataKey> SessionsKeyAsync(CancellationToken cancellationToken)
    {
        var database = (await OpenAsync()).Database;
        return await database.WriteAsync(
            async db => await database.KeyAsync(db, Seals.SessionsKey, cancellationToken) ?? await database.AddKeyAsync(db, Seals.SessionsKey, cancellationToken), cancellationToken);
    }

    /// <summary>One line for a failure of the store.</summary>
    public string Explain(Exception fault)
    {
        lock (_lock)
        {
            return fault is StoreException ? fault.Message
                : _opening is { IsCompletedSuccessfully: true } opened ? opened.Result.Database.Explain(fault)
                : $"the store cannot be opened ({fault.GetType().Name}); see PSYLITE_STORE.";
        }
    }

    /// <summary>Notes what a person or the program did to the store itself.</summary>
    public void Note(string action, string rule, string? conversation = null) =>
        _audit.Write(new AuditEntry(_time.GetUtcNow(), "-", rule, action, null, conversation));

    /// <summary>Waits until everything so far is written.</summary>
    public Task FlushAsync() => _worker.FlushAsync();

    public async ValueTask DisposeAsync()
    {
        await (_sweeps?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _worker.DisposeAsync();
        await _stop.CancelAsync();
        _stop.Dispose();
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        var swept = await new Retention((await OpenAsync()).Database, TimeSpan.FromDays(_options.RetentionDays)).SweepAsync(cancellationToken);
        if (swept > 0)
        {
            Note("Swept", $"retention {_options.RetentionDays} days, {swept} conversations");
        }
    }

    private Task<Opened> OpenAsync()
    {
        lock (_lock)
        {
            if (_opening is null || (_opening.IsFaulted && _time.GetElapsedTime(_tried) > RestAfterFailure))
            {
                _tried = _time.GetTimestamp();
                _opening = OpenNowAsync();
            }

            return _opening;
        }
    }

    private async Task<Opened> OpenNowAsync()
    {
        // Whoever asks first may be a page; building the model of the tables takes a while.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var location = StoreLocation.Of(_options, _time);
        var database = await location.OpenAsync(_time, _stop.Token);
        if (database.Notice is { } notice)
        {
            _tell(notice);
        }

        var conversations = new SqlConversationStore(database);
        await conversations.Turns.RecoverAsync(_started, _stop.Token);
        return new Opened(database, conversations, new AuditChain(database, location.AuditHead));
    }

    private sealed record Opened(StoreDatabase Database, SqlConversationStore Conversations, AuditChain Audit)
    {
        public AccountBook Accounts { get; } = new(Database);

        public SqlTakeovers Takeovers { get; } = new(Database, Conversations);
    }
}
