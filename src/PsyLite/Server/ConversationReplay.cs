using Microsoft.Extensions.AI;
using PsyLite.Agent;
using PsyLite.Agent.Humour;

namespace PsyLite.Server;

/// <summary>
/// API callers send the whole conversation with every request and no state. This makes the state anew from what they sent, so that
/// nothing is shared between requests: the assessor replays earlier messages for risk, and earlier offers of crosstalk are found
/// by the fold that carried them.
/// </summary>
internal sealed class ConversationReplay(CrosstalkLibrary library)
{
    private readonly Dictionary<string, string> _idsByTitle = library.Pieces.GroupBy(p => p.Title).ToDictionary(g => g.Key, g => g.First().Id);

    public TurnRequest Rebuild(ServedTurn turn)
    {
        // System messages of the caller do not reach the model: they could tell it to drop its care or its limits.
        var messages = turn.Messages.Where(m => m.Role == ChatRole.User || m.Role == ChatRole.Assistant).ToList();
        return new TurnRequest(messages, StateOf(messages))
        {
            Options = turn.Options,
            Task = turn.Caller.Task,
            HumourAllowed = turn.Valves.Humour,
            IsMinor = turn.Valves.Minors,
            Language = turn.Valves.Language,
            Region = turn.Valves.Region,
        };
    }

    private ConversationState StateOf(IReadOnlyList<ChatMessage> messages)
    {
        // Turns stays 0, which tells the assessor to replay the earlier user messages itself.
        var state = new ConversationState();
        var turn = 0;
        foreach (var message in messages)
        {
            if (message.Role == ChatRole.User)
            {
                turn++;
                continue;
            }

            foreach (var title in CrosstalkFold.Titles(message.Text))
            {
                state.OfferedCrosstalk.Add(_idsByTitle.GetValueOrDefault(title, title));
                state.LastCrosstalkTurn = turn;
            }
        }

        return state;
    }
}
