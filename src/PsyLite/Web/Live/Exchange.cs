using System.Text;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;
using PsyLite.Store.Conversations;

namespace PsyLite.Web.Live;

/// <summary>How far the reply to one message has come.</summary>
public enum ExchangeStage
{
    Replying,
    Done,
    Stopped,

    /// <summary>There is no reply, and the message may be tried again.</summary>
    Failed,
}

/// <summary>One message of the person and the reply to it, as it grows. Written by one turn, read by any number of pages.</summary>
public sealed class Exchange(string turnId, string said)
{
    private readonly Lock _lock = new();
    private readonly StringBuilder _reasoning = new();
    private readonly StringBuilder _reply = new();
    private Assessment? _assessment;

    /// <summary>Names the turn in the store.</summary>
    public string TurnId { get; } = turnId;

    /// <summary>Empty when a person wrote into the conversation by themselves.</summary>
    public string Said { get; } = said;

    /// <summary>Time to say again that this is a program.</summary>
    public bool HasReminder { get; init; }

    /// <summary>The reply was written by a counsellor, not by the program.</summary>
    public bool IsByCounsellor { get; init; }

    public string Reasoning
    {
        get
        {
            lock (_lock)
            {
                return _reasoning.ToString();
            }
        }
    }

    public string Reply
    {
        get
        {
            lock (_lock)
            {
                return _reply.ToString();
            }
        }
    }

    public CrosstalkPiece? Crosstalk { get; private set; }

    public Route? Route { get; private set; }

    public ExchangeStage Stage { get; private set; } = ExchangeStage.Replying;

    /// <summary>The message may be tried again: nothing was said to it.</summary>
    public bool HasNoReply => Stage == ExchangeStage.Failed || (Stage == ExchangeStage.Stopped && Reply.Length == 0);

    /// <summary>Grows with every change, so that what has not changed is not drawn again.</summary>
    public int Version { get; private set; }

    /// <summary>An exchange as it was stored.</summary>
    internal static Exchange Of(string turnId, MessageBody? said, StoredMessage? answer, Func<string, CrosstalkPiece?> piece)
    {
        var exchange = new Exchange(turnId, said?.Text ?? "") { IsByCounsellor = answer?.Author == Author.Counsellor };
        if (answer?.Body is { } body)
        {
            exchange._reasoning.Append(body.Reasoning);
            exchange._reply.Append(body.Text);
            (exchange.Route, exchange.Crosstalk) = (body.Route, body.Crosstalk is { } id ? piece(id) : null);
        }

        exchange.Stage = answer?.Body is null ? ExchangeStage.Failed : answer.Body.FinishReason == Unfinished ? ExchangeStage.Stopped : ExchangeStage.Done;
        return exchange;
    }

    internal void Apply(TurnEvent e)
    {
        lock (_lock)
        {
            switch (e)
            {
                case TurnEvent.Assessed assessed:
                    (_assessment, Route) = (assessed.Assessment, assessed.Assessment.Route);
                    break;
                case TurnEvent.ReasoningDelta delta:
                    _reasoning.Append(delta.Text);
                    break;
                case TurnEvent.ReplyDelta delta:
                    _reply.Append(delta.Text);
                    break;
                case TurnEvent.ReplyReplaced replaced:
                    _reply.Clear().Append(replaced.Text);
                    break;
                case TurnEvent.CrosstalkOffered offered:
                    Crosstalk = offered.Piece;
                    break;
                case TurnEvent.Completed completed:
                    Route = completed.Result.Assessment.Route;
                    break;
            }

            Version++;
        }
    }

    internal void End(ExchangeStage stage)
    {
        lock (_lock)
        {
            Stage = stage;
            Version++;
        }
    }

    /// <summary>What is kept of a reply that the person stopped.</summary>
    internal MessageBody Shown()
    {
        lock (_lock)
        {
            return new MessageBody(_reply.ToString().Trim())
            {
                Reasoning = _reasoning.Length > 0 ? _reasoning.ToString() : null,
                Tier = _assessment?.Tier,
                Route = Route,
                UsedModel = true,
                FinishReason = Unfinished,
            };
        }
    }

    /// <summary>The finish reason of a reply that was stopped.</summary>
    private const string Unfinished = "stopped";
}
