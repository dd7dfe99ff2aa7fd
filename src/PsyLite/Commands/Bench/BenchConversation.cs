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

    /// <summary>Words of a good day: the judge of moods is asked about each.</summary>
    private static readonly string[] LateWords =
    [
        "今天下班路上看到晚霞，拍了好几张", "周末去公园走了一圈，花都开了", "晚上做了红烧肉，给邻居也送了一碗", "今天面包烤成功了，家里香了一下午", "科目二一次过了，教练都夸我稳",
        "我家猫今天第一次让我抱着睡", "报了一个游泳班，第一次下水没呛着", "女儿今天自己系好了鞋带，高兴得到处给人看", "爬到山顶正好出太阳，风也不大",
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
