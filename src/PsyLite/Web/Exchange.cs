using System.Text;
using PsyLite.Agent;
using PsyLite.Agent.Humour;
using PsyLite.Agent.Risk;

namespace PsyLite.Web;

/// <summary>How far the reply to one message has come.</summary>
public enum ExchangeStage
{
    Replying,
    Done,
    Stopped,
    Failed,
}

/// <summary>One message of the person and the reply to it, as it grows.</summary>
public sealed class Exchange(string said)
{
    private readonly StringBuilder _reasoning = new();
    private readonly StringBuilder _reply = new();

    public string Said { get; } = said;

    /// <summary>Time to say again that this is a program.</summary>
    public bool HasReminder { get; init; }

    public string Reasoning => _reasoning.ToString();

    public string Reply => _reply.ToString();

    public CrosstalkPiece? Crosstalk { get; private set; }

    public Route? Route { get; private set; }

    public ExchangeStage Stage { get; private set; } = ExchangeStage.Replying;

    /// <summary>Grows with every change, so that what has not changed is not drawn again.</summary>
    public int Version { get; private set; }

    public void Apply(TurnEvent e)
    {
        switch (e)
        {
            case TurnEvent.Assessed assessed:
                Route = assessed.Assessment.Route;
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

    public void End(ExchangeStage stage)
    {
        Stage = stage;
        Version++;
    }
}
