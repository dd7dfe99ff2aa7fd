using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Server.Observability;

namespace PsyLite.Web;

/// <summary>Whether crosstalk is shown.</summary>
public enum Humour
{
    Offered,

    /// <summary>The person does not want it.</summary>
    TurnedOff,

    /// <summary>Danger came up: no joke stays on the screen beside it.</summary>
    Withdrawn,
}

/// <summary>
/// One conversation of one open page, in memory only: it ends with the page. Used from the page's own dispatcher, one turn at a time.
/// </summary>
internal sealed class ConversationSession(TurnPipeline pipeline, TimeProvider time, ILogger logger) : IDisposable
{
    /// <summary>How often a long conversation is told again that it is with a program (Order 21 of 2026, article 18).</summary>
    private static readonly TimeSpan ReminderInterval = TimeSpan.FromHours(2);

    private readonly List<Exchange> _exchanges = [];
    private readonly ConversationState _state = new();
    private readonly CancellationTokenSource _closed = new();
    private long _reminded = time.GetTimestamp();
    private CancellationTokenSource? _turn;

    public IReadOnlyList<Exchange> Exchanges => _exchanges;

    public bool IsReplying => _turn is not null;

    public bool HumourAllowed { get; set; } = true;

    public Humour Humour => _exchanges.Exists(e => e.Route == Route.Danger) ? Humour.Withdrawn
        : HumourAllowed ? Humour.Offered
        : Humour.TurnedOff;

    /// <summary>Runs one turn to its end; what it yields is added to the last of <see cref="Exchanges"/> as it comes.</summary>
    public async Task SendAsync(string text)
    {
        if (IsReplying)
        {
            return;
        }

        var messages = History();
        messages.Add(new ChatMessage(ChatRole.User, text));
        var exchange = new Exchange(text) { HasReminder = IsReminderDue() };
        _exchanges.Add(exchange);
        using var turn = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token);
        _turn = turn;
        try
        {
            await foreach (var e in pipeline.RunAsync(new TurnRequest(messages, _state) { HumourAllowed = HumourAllowed }, turn.Token))
            {
                exchange.Apply(e);
                if (e is TurnEvent.Completed completed)
                {
                    TurnLog.Finished(logger, "page", completed.Result);
                }
            }

            exchange.End(ExchangeStage.Done);
        }
        catch (OperationCanceledException) when (turn.IsCancellationRequested)
        {
            exchange.End(ExchangeStage.Stopped);
        }
        catch (Exception e)
        {
            // The turn's boundary: the kind is logged, never the message, which may quote what was said.
            logger.LogError("A turn on the page failed: {Kind}", e.GetType().Name);
            exchange.End(ExchangeStage.Failed);
        }
        finally
        {
            _turn = null;
        }
    }

    public void Stop() => _turn?.Cancel();

    public void Dispose()
    {
        _closed.Cancel();
        _closed.Dispose();
    }

    private bool IsReminderDue()
    {
        if (time.GetElapsedTime(_reminded) < ReminderInterval)
        {
            return false;
        }

        _reminded = time.GetTimestamp();
        return true;
    }

    private List<ChatMessage> History()
    {
        var messages = new List<ChatMessage>();
        foreach (var exchange in _exchanges)
        {
            messages.Add(new ChatMessage(ChatRole.User, exchange.Said));
            if (exchange.Reply is { Length: > 0 } reply)
            {
                messages.Add(new ChatMessage(ChatRole.Assistant, reply));
            }
        }

        return messages;
    }
}
