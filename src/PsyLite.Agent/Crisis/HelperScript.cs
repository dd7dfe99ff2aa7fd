using System.Text.RegularExpressions;
using PsyLite.Agent.Risk;

namespace PsyLite.Agent.Crisis;

/// <summary>
/// Stands by someone who worries about another person: first what to ask, then, turn by turn, what their words call for, in the end
/// care for the helper.
/// </summary>
internal static partial class HelperScript
{
    /// <summary>Turns after the last mention of the other person in which a question still belongs to them.</summary>
    private const int Patience = 3;
    private static readonly string[] Order = ["TF.say", "TF.stay", "TF.means", "TF.help", "TF.self"];

    /// <summary>The reply to a helper; null when this turn is about something else.</summary>
    public static CareReply? Reply(CareTurn turn)
    {
        var state = turn.State;
        if (turn.Tier == Tier.TF && state.LastHelperTurn is null)
        {
            state.LastHelperTurn = state.Turns;
            return new CareReply(turn.Say(Imminent().IsMatch(turn.Text) ? "TF.acute" : "TF"), AuditAction.HelperReply);
        }

        var isOpen = state.LastHelperTurn is { } last && state.Turns - last <= Patience;
        if (turn.Found is not (Tier.TF or Tier.T0) || !(turn.Found == Tier.TF || (isOpen && Concerns(turn.Text))))
        {
            return null;
        }

        state.LastHelperTurn = state.Turns;
        var family = Called(turn.Text) ?? NextStep(state);
        family ??= turn.Found == Tier.TF ? "TF" : null;
        return family is null ? null : new CareReply(turn.Say(family), AuditAction.HelperReply);
    }

    private static bool Concerns(string text) => Other().IsMatch(text) || HelpersQuestion().IsMatch(text) || OwnStrain().IsMatch(text);

    /// <summary>The part of the script that the helper's words ask for; null when they ask for none.</summary>
    internal static string? Called(string text) =>
        Imminent().IsMatch(text) ? "TF.acute"
        : OwnStrain().IsMatch(text) ? "TF.self"
        : Secrecy().IsMatch(text) ? "TF.secret"
        : AboutMeans().IsMatch(text) ? "TF.means"
        : AboutWords().IsMatch(text) ? "TF.say"
        : AboutHelp().IsMatch(text) ? "TF.help"
        : Together().IsMatch(text) ? "TF.stay"
        : null;

    /// <summary>The next part that this conversation has not heard; after the last one the model may speak again.</summary>
    private static string? NextStep(ConversationState state) =>
        Array.Find(Order, family => !state.UsedPresets.Any(id => id.StartsWith(family + "/", StringComparison.Ordinal)));

    [GeneratedRegex("他|她|TA|佢|对方|對方|室友|朋友|同学|同學|同事|闺蜜|閨蜜|男友|女友|老公|老婆|妈|媽|爸|弟|妹|哥|姐|孩子|儿子|女儿|\\b(?:he|she|they|him|her|them|my (?:friend|roommate|sister|brother|son|daughter|partner))\\b", RegexOptions.IgnoreCase)]
    private static partial Regex Other();

    [GeneratedRegex("怎么(?:办|做|说|劝|帮)|怎麼(?:辦|做|說|勸|幫)|该(?:说|做|不该)|該(?:說|做)|点算|點算|點做|點講|what (?:do|should|can) i|how (?:do|can|should) i", RegexOptions.IgnoreCase)]
    private static partial Regex HelpersQuestion();

    [GeneratedRegex("(?:已经|已經|刚刚?|剛剛?|啱啱|正在?|马上|馬上|就要|快要)[^。！？]{0,8}(?:吃了|吞|割|跳|喝了|吊|动手|動手|郁手)|(?:站|坐|爬|喺|在)(?:在|上|到|咗)*[^。！？]{0,4}(?:天台|楼顶|樓頂|顶楼|頂樓|桥上|橋上|桥边|窗台|窗边)|吃了(?:一|好多|很多)[^。！？]{0,4}药|流血|失联|失聯|联系不上|聯絡不上|聯絡唔到|找不到(?:他|她|人)|搵唔到|叫不醒|昏迷|没反应|overdos|took (?:all|a lot of|the|some) pills|on the (?:roof|bridge|ledge)|cut (?:him|her|them)sel|bleeding|won'?t wake|unconscious|can'?t (?:find|reach)", RegexOptions.IgnoreCase)]
    private static partial Regex Imminent();

    [GeneratedRegex("我(?:自己|也|都|真的|真係|好|快)*(?:好累|很累|好攰|撑不住|受不了|頂唔住|害怕|很怕|好怕|好驚|崩溃|崩潰|内疚|內疚|自责|自責|睡不着|瞓唔着)|(?:是|係)(?:不是|唔係)?我(?:的|嘅)?(?:错|錯)|怪我|救不了|I'?m (?:so |really )?(?:tired|scared|exhausted|afraid)|my fault|can'?t take (?:it|this)", RegexOptions.IgnoreCase)]
    private static partial Regex OwnStrain();

    [GeneratedRegex("保密|秘密|别告诉|別告訴|不让我(?:说|告诉)|不讓我|唔畀我|不许(?:我)?说|答应(?:了)?(?:他|她|过|不)|答應|会恨我|會恨我|怪我多事|secret|promised|not to tell|don'?t tell", RegexOptions.IgnoreCase)]
    private static partial Regex Secrecy();

    [GeneratedRegex("药|藥|刀|绳|繩|遗书|遺書|买了|買了|藏|pills?|knife|blade|rope|gun|note", RegexOptions.IgnoreCase)]
    private static partial Regex AboutMeans();

    [GeneratedRegex("怎么(?:说|开口|问|劝|安慰|回)|怎麼(?:說|開口|問|勸|安慰|回)|(?:说|說|讲|講)(?:什么|什麼|咩|些什么)|(?:点|點)(?:讲|講|開口)|what (?:do|should|can) i say|how (?:do|should) i (?:ask|talk|bring)", RegexOptions.IgnoreCase)]
    private static partial Regex AboutWords();

    [GeneratedRegex("不肯|不愿|不願|唔肯|医院|醫院|医生|醫生|老师|老師|家长|家長|报警|報警|热线|熱線|找谁|找誰|搵邊個|doctor|hospital|hotline|police|parents|teacher|refuses", RegexOptions.IgnoreCase)]
    private static partial Regex AboutHelp();

    [GeneratedRegex("陪|在一起|在我(?:旁|身)边|守着|睡着了|回宿舍|with (?:him|her|them|me)|next to", RegexOptions.IgnoreCase)]
    private static partial Regex Together();
}
