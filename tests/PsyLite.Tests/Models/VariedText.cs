using System.Text;

namespace PsyLite.Tests.Models;

/// <summary>Lines of every kind of text, the same ones for the same seed. No line holds a line feed: spm_encode reads line by line.</summary>
internal static class VariedText
{
    private static readonly string[] Parts =
    [
        "我", "今天", "很", "难过", "，", "。", "！", "？", "最近总是睡不着", "压力很大", "朋友", "和", "妈妈", "吵架了", "老師說", "憂鬱", "煩惱", "謝謝你的陪伴",
        "覺得", "焦虑症", "一个人在宿舍", "不想上学", "考试没考好", "心里空落落的", "「", "」", "『", "』", "、", "；", "——", "……", "·", "％", "Ｅ", "ＦＧ", "ａｂｃ", "１２３",
        "hello", "world", "I feel", "don't", "can't", "the", "anxiety", "Sleep", "USA", "naïve", "café", "über", "ñ", "Straße", "привет", "мир", "こんにちは", "カタカナ", "안녕하세요",
        "مرحبا", "שלום", "ไทย", "हिन्दी", "😀", "👍🏽", "👨‍👩‍👧‍👦", "🇨🇳", "❤️", "🥹", "𠮷", "𡃁", "龘", "㗎", "①", "㈱", "ﷺ", "e\u0301", "\u200b", "\u200d", "\ufeff", "\u00a0", "\u3000", "\u2581",
        " ", " ", " ", "  ", "    ", "\t", "\t\t", "\r", "\u0001", "\u0007", "\u001b", "\u007f", "\0", "\u0085", "\u2028", "\ufffd", "\ufffe",
        "0", "1", "42", "3.14", "2024", "12356", "1,000,000", "-7", "1e-5", "100%",
        "<s>", "</s>", "<unk>", "<think>", "</think>", "<|im_start|>", "<|im_end|>", "<0x0A>", "[UNUSED_TOKEN_145]", "[UNUSED_TOKEN_3", "<thi", "nk>", "<s", ">",
        "def f(x):", "return x", "{\"a\": 1}", "https://example.org/a?b=c&d=e", "==", "!=", "....", "-----", "_____", "~~", "###", "**", "//", "\\n", "'", "\"", "`",
        "aaaa", "abab", "哈哈哈哈哈哈", "呜呜呜", "嗯嗯", "的的", "www", "zzzzzzzzzzzzzzzzzz",
    ];

    public static List<string> Lines(int count, int seed)
    {
        var random = new Random(seed);
        var lines = new List<string>(count);
        for (var i = 0; i < count; i++)
        {
            var line = new StringBuilder();
            for (var n = random.Next(0, i % 50 == 0 ? 200 : 14); n > 0; n--)
            {
                line.Append(random.Next(12) == 0 ? AnyCharacter(random) : Parts[random.Next(Parts.Length)]);
                if (random.Next(4) == 0)
                {
                    line.Append(' ');
                }
            }

            lines.Add(line.ToString());
        }

        return lines;
    }

    private static string AnyCharacter(Random random)
    {
        var (from, to) = random.Next(5) switch
        {
            0 => (0x20, 0x7f),
            1 => (0x80, 0x800),
            2 => (0x4e00, 0x9fff),
            3 => (0xe000, 0xffff),
            _ => (0x10000, 0x30000),
        };
        return new Rune(random.Next(from, to)).ToString();
    }
}
