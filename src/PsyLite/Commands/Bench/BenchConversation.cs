using System.Text;
using Microsoft.Extensions.AI;

namespace PsyLite.Commands.Bench;

/// <summary>Conversations of a given length for measurements: harmless talk by the person, lines of crosstalk as long answers.</summary>
internal sealed class BenchConversation(IEnumerable<string> lines, Func<string, int> countTokens)
{
    /// <summary>Exchanges before the ninth turn.</summary>
    private const int Exchanges = 8;
    private static readonly string[] Openings =
    [
        "今天做了一顿饭", "周末想出去走走", "我在学画画", "下班路上看到了晚霞", "最近在看一本书", "想换个发型", "家里的猫睡着了", "明天要见老同学",
        "刚跑完步回来", "在想晚饭吃什么", "收拾了一下午屋子",
    ];

    private static readonly string[] LateWords =
    [
        "另外还想问问，晚上怎样早一点放下手机", "那要是睡前又想起工作的事呢", "周末和朋友约了吃饭，有点不知道聊什么", "最近早上总是起得很晚，想调一调", "还有就是房间一直没收拾，看着心烦",
        "我妈让我多回家吃饭，我总说忙", "下个月想报个游泳班", "同事借我的书一直没还，不好意思开口", "想给自己定一个小目标，又怕坚持不下来",
    ];

    private readonly string[] _lines = [.. lines];

    public static ChatMessage Ninth { get; } = new(ChatRole.User, "嗯，你说的这些我想了想，周末打算先去公园走一圈");

    /// <summary>The tenth turn and those after it.</summary>
    public static ChatMessage Late(int number) => new(ChatRole.User, LateWords[number % LateWords.Length]);

    /// <summary>Different for each number, so that no round finds the one before in a cache.</summary>
    public IReadOnlyList<ChatMessage> History(int number, int tokens)
    {
        var messages = new List<ChatMessage>();
        var next = number * 101;
        var used = 0;
        for (var exchange = 0; exchange < Exchanges; exchange++)
        {
            var said = Openings[(number + exchange) % Openings.Length];
            messages.Add(new ChatMessage(ChatRole.User, said));
            used += countTokens(said);
            var answer = new StringBuilder();
            for (var share = tokens * (exchange + 1) / Exchanges; used < share;)
            {
                var line = _lines[next++ % _lines.Length];
                answer.Append(line);
                used += countTokens(line);
            }

            messages.Add(new ChatMessage(ChatRole.Assistant, answer.ToString()));
        }

        return messages;
    }
}
